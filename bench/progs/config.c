// Switched by constants that are set before loading, as programs of libbpf are: the verifier knows
// their values, and so which branches are never taken.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 rounds = 16;
const volatile __u32 with_hash = 0, with_sum = 1, with_trace = 0;

SEC("xdp") int prog(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 sum = 0;

	if (data + 128 > end)
		return 0;
	for (__u32 i = 0; i < 64; i++) {
		if (i >= rounds)
			break;
		if (with_hash)
			sum = (sum ^ data[i]) * 16777619;
		if (with_sum)
			sum += data[i + 32];
		if (with_trace && data[i] == 255)
			bpf_printk("seen at %d", i);
	}
	return (sum & 0xffff) + 1;
}

char LICENSE[] SEC("license") = "GPL";
