// bpf_loop over a state on the caller's stack: what its callback gets is a pointer to another
// function's frame.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct state {
	__u64 sum;
	__u32 table[8];
};

static long step(__u32 i, void *context)
{
	struct state *s = context;

	s->sum += s->table[i & 7];
	s->table[i & 7] ^= i * 2654435761u;
	return 0;
}

SEC("xdp") int prog(struct xdp_md *ctx)
{
	struct state s = {};

	for (int i = 0; i < 8; i++)
		s.table[i] = i * 7 + ctx->ingress_ifindex;
	bpf_loop(128, step, &s, 0);
	return (s.sum & 0xffff) + 1;
}

char LICENSE[] SEC("license") = "GPL";
