// Global data of all kinds, and loops: plain, bounded by the packet, and by callback.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 limit = 24;
__u64 packets, bytes;
__u8 last[16];
struct {
	__s32 least, most;
	__u16 histogram[8];
} seen = { .least = 1 << 30, .most = -1 };
static volatile __u64 hidden = 7;

struct walk {
	struct xdp_md *ctx;
	void *at;
	__u64 sum;
	__u32 left;
};

static int step(__u64 index, void *arg)
{
	struct walk *w = arg;
	void *end = (void *)(long)w->ctx->data_end, *data = (void *)(long)w->ctx->data;
	__u64 at = index * 2 & 0xff;

	if (data + at + 2 > end)
		return 1;
	w->sum = w->sum * 3 + *(__u16 *)(data + at);
	w->left--;
	return w->left == 0;
}

SEC("xdp")
int program(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct walk w = { .ctx = ctx };
	__u32 length = end - data, i;
	__s32 balance = 0;

	packets++;
	bytes += length;
	for (i = 0; i < limit && i < 24; i++) {
		if (data + i + 1 > end)
			break;
		last[i & 15] = ((__u8 *)data)[i];
		balance += (__s8)((__u8 *)data)[i];
	}
	if (balance < seen.least)
		seen.least = balance;
	if (balance > seen.most)
		seen.most = balance;
	seen.histogram[length >> 5 & 7]++;
	w.left = (length & 31) + 1;
	bpf_loop(100, step, &w, 0);
	hidden ^= w.sum;
	return (hidden + balance) % 5;
}

char LICENSE[] SEC("license") = "GPL";
