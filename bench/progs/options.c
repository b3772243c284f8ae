// Walks through options of variable length with a cursor that is checked against the packet's end,
// in a subprogram: offsets into the packet that only a verifier bounds on all ways together.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __attribute__((noinline)) int option(struct xdp_md *ctx, __u32 *offset, __u32 *sum)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 at = *offset & 511;
	__u8 *p = data + at;

	if (p + 4 > end)
		return 0;
	*sum += p[0] + (p[1] << 8);
	if (p[2] & 1)
		*sum ^= p[3];
	*offset = at + 2 + (p[1] & 7);
	return 1;
}

SEC("xdp") int prog(struct xdp_md *ctx)
{
	__u32 offset = 34, sum = 0;

	for (int i = 0; i < 24; i++)
		if (!option(ctx, &offset, &sum))
			break;
	return (sum & 0xffff) + 1;
}

char LICENSE[] SEC("license") = "GPL";
