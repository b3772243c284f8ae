// Packets that grow, shrink, carry metadata and tags, and leave elsewhere; events of what happened.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct event {
	__u32 length, kind;
	__u8 head[8];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} events SEC(".maps");

struct prefix {
	__u32 bits, address;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u32);
} routes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} kinds SEC(".maps");

static __always_inline void tell(struct xdp_md *ctx, __u32 kind)
{
	struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	__u64 *n = bpf_map_lookup_elem(&kinds, &kind);

	if (n)
		(*n)++;
	if (!e)
		return;
	e->length = bpf_xdp_get_buff_len(ctx);
	e->kind = kind;
	if (bpf_xdp_load_bytes(ctx, 6, e->head, sizeof(e->head)))
		__builtin_memset(e->head, 0xee, sizeof(e->head));
	if (kind == 3)
		bpf_ringbuf_discard(e, 0);
	else
		bpf_ringbuf_submit(e, 0);
}

static __always_inline int tag(struct xdp_md *ctx)
{
	struct ethhdr *old, *eth, copy;
	void *end;

	if (bpf_xdp_adjust_head(ctx, -4))
		return XDP_ABORTED;
	end = (void *)(long)ctx->data_end;
	eth = (void *)(long)ctx->data;
	old = (void *)eth + 4;
	if ((void *)(old + 1) > end)
		return XDP_DROP;
	copy = *old;
	__builtin_memcpy(eth, &copy, 12);
	*(__be16 *)((void *)eth + 12) = bpf_htons(ETH_P_8021Q);
	*(__be16 *)((void *)eth + 14) = bpf_htons(42);
	return XDP_TX;
}

SEC("xdp")
int program(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = data + sizeof(*eth);
	struct prefix key = { .bits = 32 };
	__u32 *route, old, new;
	__u64 sum;

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP)) {
		tell(ctx, 3);
		return XDP_PASS;
	}
	key.address = ip->saddr;
	route = bpf_map_lookup_elem(&routes, &key);
	if (!route) {
		key.bits = 16 + (ip->saddr & 15);
		old = ip->protocol;
		bpf_map_update_elem(&routes, &key, &old, BPF_ANY);
	}
	switch (ip->id & 3) {
	case 0:
		old = *(__u32 *)&ip->ttl;
		ip->ttl--;
		new = *(__u32 *)&ip->ttl;
		sum = bpf_csum_diff(&old, 4, &new, 4, ~ip->check & 0xffff);
		sum = (sum & 0xffff) + (sum >> 16);
		ip->check = ~(sum + (sum >> 16));
		tell(ctx, 0);
		return XDP_TX;
	case 1:
		tell(ctx, 1);
		return tag(ctx);
	case 2:
		if (bpf_xdp_adjust_tail(ctx, route ? -6 : 100))
			return XDP_DROP;
		tell(ctx, 2);
		return XDP_PASS;
	}
	if (!bpf_xdp_adjust_meta(ctx, -8)) {
		__u32 *meta = (void *)(long)ctx->data_meta;

		if ((void *)(meta + 2) <= (void *)(long)ctx->data) {
			meta[0] = 0x12345678;
			meta[1] = route ? *route : 0;
		}
	}
	return bpf_redirect(1, 0);
}

char LICENSE[] SEC("license") = "GPL";
