// Maps in maps, one of several maps by a condition, and callbacks for each element.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} few SEC(".maps"), many SEC(".maps");

struct inner_hash {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u16);
	__type(value, __u64);
} sizes SEC(".maps"), kinds SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, __u32);
	__array(values, struct inner);
} counters SEC(".maps") = {
	.values = { [0] = &few, [2] = &many },
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner_hash);
} tables SEC(".maps") = {
	.values = { [1] = &sizes, [3] = &kinds },
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

struct sum {
	__u64 total;
	__u32 left, steps;
};

static long add(void *map, __u32 *key, __u64 *value, struct sum *sum)
{
	sum->total += *value + *key;
	sum->steps++;
	*value += 1;
	return sum->left-- == 1;
}

static long forget(void *map, __u16 *key, __u64 *value, struct sum *sum)
{
	sum->total += *value;
	sum->steps++;
	if (*value > 5)
		bpf_map_delete_elem(map, key);
	return 0;
}

static long keep(void *map, __u32 *key, __u64 *value, struct sum *sum)
{
	*value += sum->total;
	return 0;
}

SEC("xdp")
int program(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct sum sum = { .left = 3 };
	__u32 which, index;
	__u64 *value, one = 1;
	__u16 kind;
	void *inner;

	if (data + 14 > end)
		return XDP_ABORTED;
	which = data[0] & 3;
	index = data[1] & 7;
	inner = bpf_map_lookup_elem(&counters, &which);
	if (inner) {
		value = bpf_map_lookup_elem(inner, &index);
		if (value)
			__sync_fetch_and_add(value, 1);
		else
			bpf_map_update_elem(inner, &(__u32){ 0 }, &one, BPF_ANY);
	}
	kind = data[3] & 15;
	inner = bpf_map_lookup_elem(&tables, &which);
	if (inner) {
		value = bpf_map_lookup_elem(inner, &kind);
		if (value)
			*value += 1;
		else
			bpf_map_update_elem(inner, &kind, &one, BPF_NOEXIST);
		if (data[4] == 7)
			bpf_map_delete_elem(inner, &kind);
	}
	inner = data[5] & 1 ? (void *)&few : (void *)&many;
	value = bpf_map_lookup_elem(inner, &(__u32){ 1 });
	if (value)
		sum.total = *value & 3;
	sum.left = data[2] & 7;
	sum.steps += bpf_for_each_map_elem(&few, add, &sum, 0);
	if (data[4] & 1)
		sum.steps += bpf_for_each_map_elem(&sizes, forget, &sum, 0);
	bpf_for_each_map_elem(&seen, keep, &sum, 0);
	return (sum.steps + sum.total) & 1 ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
