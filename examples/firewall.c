// SPDX-License-Identifier: Apache-2.0
//
// An XDP firewall. It sees every packet before the network stack does, takes it apart down to its
// five-tuple, and asks the rules of firewall.toml whether it may pass.
//
// The first rule that matches decides. Trying one after the other would take longer with each
// rule, so the question is turned round: three lookups tell *which* rules match, each of them as a
// set with one bit per rule,
//
//       by source address         longest prefix
//     & by destination address    longest prefix
//     & by protocol and port      hash
//
// and the lowest bit that is in all three is the rule. One rule costs as much as 63, and a rule
// for one network as much as one for ten thousand. (firewall_rules.py computes the sets.)
//
// Every set exists twice, in two banks. New rules go into the bank that is not in use, then one
// store to `bank_in_use` switches over: no packet ever meets half a rule file.

#include <linux/bpf.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define RULES 64             // bits in a set
#define DEFAULT (RULES - 1)  // the last rule matches everything: it is the default policy
#define ANY 0x10000          // in a service: any protocol, any port
#define FRAGMENT 0x10001     // instead of a port: the ports went with the packet's first piece
#define NAME 24              // bytes of a rule's name, a zero at the end included
#define MAX_TAGS 2           // VLAN tags: 802.1Q, or 802.1ad around 802.1Q (QinQ)
#define MAX_EXTENSIONS 6     // IPv6 extension headers
#define EXTENSIONS (1ULL << IPPROTO_HOPOPTS | 1ULL << IPPROTO_ROUTING | 1ULL << IPPROTO_FRAGMENT | \
		    1ULL << IPPROTO_AH | 1ULL << IPPROTO_DSTOPTS)

// Set before loading: what becomes of packets as long as no rules have been loaded.
const volatile __u32 default_policy = XDP_PASS;

// Events that were handed over, and those that found the ring buffer full.
__u64 events_sent, events_lost;

// An IPv6 address, or an IPv4 address mapped to one (::ffff:192.0.2.1), so that all code and all
// maps below know only one kind.
struct address {
	__u8 bytes[16];
} __attribute__((aligned(4)));

struct network {
	__u32 prefixlen;
	struct address address;
};

struct service {
	__u32 protocol;
	__u32 port;  // ICMP, ICMPv6: the type
};

struct ruleset {
	__u64 bank[2];
};

struct rule {
	char name[NAME];
	__u32 action;  // XDP_PASS or XDP_DROP
	__u32 log;     // send an event for each packet it drops
	__u32 hits;    // its place in `hits`, which it keeps when other rules come and go
};

struct counter {
	__u64 packets, bytes;
};

struct flow {
	struct address source, destination;
	__u16 source_port, destination_port;  // 0 where there are none; ICMP: 0 and type
	__u16 vlan;                           // of the innermost tag
	__u8 protocol;
	__u8 fragment;  // not the first piece of its packet
};

// Who decides about a packet, or what is wrong with it.
enum reason { BY_RULE, BY_DEFAULT, NOT_IP, MALFORMED, TOO_DEEP };

struct event {
	__u64 time;  // nanoseconds since boot
	struct flow flow;
	enum reason reason;
	__u32 length;     // of the frame, in bytes
	char rule[NAME];  // the one that dropped it, if it was one
};
const struct event *event_type __attribute__((unused));  // keeps the type in the object's BTF

#define MAP(kind, flags, size, key_type, value_type)    \
	struct {                                        \
		__uint(type, BPF_MAP_TYPE_##kind);      \
		__uint(map_flags, flags);               \
		__uint(max_entries, size);              \
		__type(key, key_type);                  \
		__type(value, value_type);              \
	}

MAP(LPM_TRIE, BPF_F_NO_PREALLOC, 65536, struct network, struct ruleset) sources SEC(".maps");
MAP(LPM_TRIE, BPF_F_NO_PREALLOC, 65536, struct network, struct ruleset) destinations SEC(".maps");
MAP(HASH, BPF_F_NO_PREALLOC, 65536, struct service, struct ruleset) services SEC(".maps");
MAP(ARRAY, 0, 2 * RULES, __u32, struct rule) rules SEC(".maps");
MAP(ARRAY, 0, 1, __u32, __u32) bank_in_use SEC(".maps");
MAP(PERCPU_ARRAY, 0, RULES, __u32, struct counter) hits SEC(".maps");
MAP(PERCPU_ARRAY, 0, XDP_REDIRECT + 1, __u32, struct counter) verdicts SEC(".maps");
MAP(LRU_HASH, 0, 16384, struct address, struct counter) top_sources SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

// ------------------------------------------------------------------------- taking packets apart

struct cursor {
	void *at, *end;
};

// The next `size` bytes, or NULL if the packet has no more: all reading goes through here.
static __always_inline void *take(struct cursor *cursor, __u32 size)
{
	void *start = cursor->at;

	if (start + size > cursor->end)
		return NULL;
	cursor->at = start + size;
	return start;
}

static __always_inline enum reason parse_transport(struct cursor *cursor, struct flow *flow)
{
	struct { __be16 source, destination; } *ports;  // what TCP and UDP begin with
	struct icmp6hdr *icmp;                          // ICMP has the same shape

	switch (flow->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		ports = take(cursor, flow->protocol == IPPROTO_TCP ? sizeof(struct tcphdr)
								    : sizeof(struct udphdr));
		if (!ports)
			return MALFORMED;
		flow->source_port = bpf_ntohs(ports->source);
		flow->destination_port = bpf_ntohs(ports->destination);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		icmp = take(cursor, sizeof(*icmp));
		if (!icmp)
			return MALFORMED;
		flow->destination_port = icmp->icmp6_type;
	}
	return BY_RULE;
}

static __always_inline void map_address(struct address *to, __be32 from)
{
	__be32 *words = (__be32 *)to;

	words[2] = bpf_htonl(0xffff);
	words[3] = from;
}

static __always_inline enum reason parse_ipv4(struct cursor *cursor, struct flow *flow)
{
	struct iphdr *ip = take(cursor, sizeof(*ip));

	if (!ip || ip->version != 4 || ip->ihl < 5 || bpf_ntohs(ip->tot_len) < ip->ihl * 4)
		return MALFORMED;
	cursor->at = ip;
	if (!take(cursor, ip->ihl * 4))  // once more, with its options
		return MALFORMED;
	map_address(&flow->source, ip->saddr);
	map_address(&flow->destination, ip->daddr);
	flow->protocol = ip->protocol;
	flow->fragment = (ip->frag_off & bpf_htons(0x1fff)) != 0;
	return flow->fragment ? BY_RULE : parse_transport(cursor, flow);
}

static __always_inline enum reason parse_ipv6(struct cursor *cursor, struct flow *flow)
{
	struct ipv6hdr *ip = take(cursor, sizeof(*ip));
	struct {
		__u8 next, length;
		__be16 offset;  // of a fragment, in the upper 13 bits
		__be32 rest;
	} *extension;

	if (!ip || ip->version != 6)
		return MALFORMED;
	__builtin_memcpy(&flow->source, &ip->saddr, sizeof(flow->source));
	__builtin_memcpy(&flow->destination, &ip->daddr, sizeof(flow->destination));
	flow->protocol = ip->nexthdr;
	for (int i = 0; i <= MAX_EXTENSIONS; i++) {
		__u8 kind = flow->protocol;

		if (kind > 63 || !(EXTENSIONS >> kind & 1))
			return parse_transport(cursor, flow);
		extension = take(cursor, sizeof(*extension));
		if (!extension)
			return MALFORMED;
		flow->protocol = extension->next;
		if (kind == IPPROTO_FRAGMENT) {
			flow->fragment = (extension->offset & bpf_htons(0xfff8)) != 0;
			if (flow->fragment)
				return BY_RULE;
			continue;
		}
		// Once more, whole: AH counts in words, all others in eights.
		cursor->at = extension;
		if (!take(cursor, kind == IPPROTO_AH ? (extension->length + 2) * 4
						     : (extension->length + 1) * 8))
			return MALFORMED;
	}
	return TOO_DEEP;
}

static __always_inline enum reason parse(struct cursor *cursor, struct flow *flow)
{
	struct ethhdr *ethernet = take(cursor, sizeof(*ethernet));
	struct { __be16 tci, type; } *tag;
	__be16 type;

	if (!ethernet)
		return MALFORMED;
	type = ethernet->h_proto;
	for (int i = 0; i <= MAX_TAGS; i++) {
		if (type == bpf_htons(ETH_P_IP))
			return parse_ipv4(cursor, flow);
		if (type == bpf_htons(ETH_P_IPV6))
			return parse_ipv6(cursor, flow);
		if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD))
			return NOT_IP;
		tag = take(cursor, sizeof(*tag));
		if (!tag)
			return MALFORMED;
		flow->vlan = bpf_ntohs(tag->tci) & 0xfff;
		type = tag->type;
	}
	return TOO_DEEP;
}

// ------------------------------------------------------------------------ deciding and counting

static __always_inline __u64 rules_for_address(void *map, const struct address *address, __u32 bank)
{
	struct network key = { 128, *address };
	struct ruleset *set = bpf_map_lookup_elem(map, &key);

	return set ? set->bank[bank] : 0;
}

// From the particular to the general: this port, any port of the protocol, any protocol.
static __always_inline __u64 rules_for_service(const struct flow *flow, __u32 bank)
{
	struct service key = { flow->protocol, flow->fragment ? FRAGMENT : flow->destination_port };
	struct ruleset *set = bpf_map_lookup_elem(&services, &key);

	if (!set) {
		key.port = ANY;
		set = bpf_map_lookup_elem(&services, &key);
	}
	if (!set) {
		key.protocol = ANY;
		set = bpf_map_lookup_elem(&services, &key);
	}
	return set ? set->bank[bank] : 0;
}

// The number of the lowest bit of a set that is not empty.
static __always_inline __u32 first_of(__u64 set)
{
	__u32 at = 0;

	for (__u32 half = RULES / 2; half; half /= 2)
		if (!(set & ((1ULL << half) - 1))) {
			set >>= half;
			at += half;
		}
	return at;
}

static __always_inline void count(void *map, __u32 index, __u32 length)
{
	struct counter *counter = bpf_map_lookup_elem(map, &index);

	if (counter) {  // this CPU's own
		counter->packets++;
		counter->bytes += length;
	}
}

static __always_inline void count_source(const struct address *source, __u32 length)
{
	struct counter *counter = bpf_map_lookup_elem(&top_sources, source);

	if (counter) {  // shared by all CPUs
		__sync_fetch_and_add(&counter->packets, 1);
		__sync_fetch_and_add(&counter->bytes, length);
	} else {
		struct counter first = { 1, length };

		bpf_map_update_elem(&top_sources, source, &first, BPF_ANY);
	}
}

static __always_inline void tell(const struct flow *flow, enum reason reason, __u32 length,
				 const struct rule *rule)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		__sync_fetch_and_add(&events_lost, 1);
		return;
	}
	event->time = bpf_ktime_get_ns();
	event->flow = *flow;
	event->reason = reason;
	event->length = length;
	if (rule)
		__builtin_memcpy(event->rule, rule->name, NAME);
	else
		__builtin_memset(event->rule, 0, NAME);
	bpf_ringbuf_submit(event, 0);
	__sync_fetch_and_add(&events_sent, 1);
}

static __always_inline __u32 decide(const struct flow *flow, __u32 length)
{
	__u32 zero = 0, *in_use = bpf_map_lookup_elem(&bank_in_use, &zero);
	__u32 bank = in_use ? *in_use & 1 : 0;
	__u64 set = rules_for_address(&sources, &flow->source, bank) &
		    rules_for_address(&destinations, &flow->destination, bank) &
		    rules_for_service(flow, bank);
	__u32 number = first_of(set | 1ULL << DEFAULT);
	__u32 slot = bank * RULES + number;
	struct rule *rule = bpf_map_lookup_elem(&rules, &slot);

	if (!rule || !rule->action)  // no rules have been loaded yet
		return default_policy;
	count(&hits, rule->hits, length);
	if (rule->action == XDP_DROP && rule->log)
		tell(flow, number == DEFAULT ? BY_DEFAULT : BY_RULE, length, rule);
	return rule->action;
}

SEC("xdp")
int firewall(struct xdp_md *ctx)
{
	struct cursor cursor = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	__u32 length = cursor.end - cursor.at, verdict = XDP_PASS;
	struct flow flow = {};
	enum reason reason = parse(&cursor, &flow);

	if (reason == BY_RULE) {
		count_source(&flow.source, length);
		verdict = decide(&flow, length);
	} else if (reason != NOT_IP) {  // ARP and its like pass: without them there is no network
		tell(&flow, reason, length, NULL);
		verdict = XDP_DROP;
	}
	count(&verdicts, verdict, length);
	return verdict;
}

char LICENSE[] SEC("license") = "Apache-2.0";
