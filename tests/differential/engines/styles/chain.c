// Tail calls that share state through a per-CPU map, and end at the limit or in a hole.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

int again(struct xdp_md *ctx);
int last(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 8);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} steps SEC(".maps") = {
	.values = { [1] = (void *)&again, [3] = (void *)&last },
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} turns SEC(".maps");

static __noinline void turn(__u32 which)
{
	__u64 *n = bpf_map_lookup_elem(&turns, &which);

	if (n)
		*n += 1;
}

SEC("xdp")
int again(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	turn(0);
	if (data + 14 > end)
		return XDP_ABORTED;
	if (*(__u8 *)data & 4)
		bpf_tail_call(ctx, &steps, 1);
	bpf_tail_call(ctx, &steps, *(__u8 *)data & 7);
	return XDP_TX;
}

SEC("xdp")
int last(struct xdp_md *ctx)
{
	turn(1);
	return XDP_DROP;
}

SEC("xdp")
int program(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &steps, 2);
	bpf_tail_call(ctx, &steps, 1);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
