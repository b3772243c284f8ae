// A histogram and a moving window: indexes computed at run time into the value of a map and into a
// table on the stack, in a bounded loop.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct histogram {
	__u64 bins[64];
	__u64 total;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct histogram);
} seen SEC(".maps");

SEC("xdp") int prog(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u8 window[64] = {};
	__u32 key = 1, sum = 0;
	struct histogram *h;

	if (data + 192 > end)
		return 0;
	h = bpf_map_lookup_elem(&seen, &key);
	if (!h)
		return 0;
	for (__u32 i = 0; i < 128; i++) {
		__u32 bin = data[i + 64] & 63;

		sum += window[(bin + i) & 63];
		window[bin] += i;
		h->bins[bin] += 1;
	}
	h->total += 128;
	return (sum & 0xffff) + 1;
}

char LICENSE[] SEC("license") = "GPL";
