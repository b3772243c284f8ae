// Subprograms that share the packet's pointers, and a struct on the caller's stack.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct flow {
	__u32 source, destination;
	__u8 protocol, hops;
	__u16 length;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct flow);
	__type(value, __u64);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 512);
	__type(key, __u32);
	__type(value, __u32);
} sources SEC(".maps");

static __noinline int parse(void *data, void *end, struct flow *f)
{
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);

	if ((void *)(ip + 1) > end)
		return -1;
	if (eth->h_proto != bpf_htons(ETH_P_IP))
		return -2;
	f->source = ip->saddr;
	f->destination = ip->daddr;
	f->protocol = ip->protocol;
	f->hops = ip->ttl;
	f->length = bpf_ntohs(ip->tot_len);
	return ip->ihl;
}

static __noinline __u64 count(struct flow *f)
{
	__u64 one = 1, *n = bpf_map_lookup_elem(&flows, f);

	if (n)
		return __sync_fetch_and_add(n, 1);
	return bpf_map_update_elem(&flows, f, &one, BPF_NOEXIST) ? -1 : 0;
}

static __noinline int weigh(int a, int b, int depth)
{
	if (b < 0)
		return a % -7 - b / 3;
	return a * 31 + (a >> (b & 63)) + depth;
}

SEC("xdp")
int program(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct flow f = {};
	int words = parse(data, end, &f);
	__u32 *seen, first = 1;
	__u64 n;

	if (words < 0)
		return XDP_PASS + words + 2;
	n = count(&f);
	seen = bpf_map_lookup_elem(&sources, &f.source);
	if (seen)
		*seen += f.length;
	else
		bpf_map_update_elem(&sources, &f.source, &first, BPF_ANY);
	return weigh(f.length, (int)n - 3, words) & 3;
}

char LICENSE[] SEC("license") = "GPL";
