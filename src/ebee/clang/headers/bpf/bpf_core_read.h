/* SPDX-License-Identifier: Apache-2.0 */
/* CO-RE: reading kernel structs wherever the running kernel has their members. The compiler leaves
 * a relocation for each access, and the loader fills in what the target's BTF says. */
#ifndef EBEE_BPF_CORE_READ_H
#define EBEE_BPF_CORE_READ_H

#include "bpf_helpers.h"

/* ---- questions to the target's BTF ---- */

enum ___bpf_field_info { /* enum bpf_core_relo_kind of the kernel, 0 to 5 */
	BPF_FIELD_BYTE_OFFSET,
	BPF_FIELD_BYTE_SIZE,
	BPF_FIELD_EXISTS,
	BPF_FIELD_SIGNED,
	BPF_FIELD_LSHIFT_U64,
	BPF_FIELD_RSHIFT_U64,
};

enum ___bpf_type_id {
	BPF_TYPE_ID_LOCAL,
	BPF_TYPE_ID_TARGET,
};

enum ___bpf_type_info {
	BPF_TYPE_EXISTS,
	BPF_TYPE_SIZE,
	BPF_TYPE_MATCHES,
};

enum ___bpf_enum_value_info {
	BPF_ENUMVAL_EXISTS,
	BPF_ENUMVAL_VALUE,
};

/* A member is given as an expression (`pointer->member`), or as a type and a member. */
#define ___bpf_field1(field) (field)
#define ___bpf_field2(type, field) (((typeof(type) *)0)->field)
#define ___bpf_field(...) ___bpf_apply(___bpf_field, ___bpf_narg(__VA_ARGS__))(__VA_ARGS__)

#define bpf_core_field_exists(field...) \
	__builtin_preserve_field_info(___bpf_field(field), BPF_FIELD_EXISTS)
#define bpf_core_field_size(field...) \
	__builtin_preserve_field_info(___bpf_field(field), BPF_FIELD_BYTE_SIZE)
#define bpf_core_field_offset(field...) \
	__builtin_preserve_field_info(___bpf_field(field), BPF_FIELD_BYTE_OFFSET)

/* Older compilers want the type as a dereferenced pointer expression. */
#define ___bpf_type(type) (*(typeof(type) *)0)
#define bpf_core_type_id_local(type) \
	__builtin_btf_type_id(___bpf_type(type), BPF_TYPE_ID_LOCAL)
#define bpf_core_type_id_kernel(type) \
	__builtin_btf_type_id(___bpf_type(type), BPF_TYPE_ID_TARGET)
#define bpf_core_type_exists(type) \
	__builtin_preserve_type_info(___bpf_type(type), BPF_TYPE_EXISTS)
#define bpf_core_type_matches(type) \
	__builtin_preserve_type_info(___bpf_type(type), BPF_TYPE_MATCHES)
#define bpf_core_type_size(type) \
	__builtin_preserve_type_info(___bpf_type(type), BPF_TYPE_SIZE)

#define ___bpf_enumerator(type, value) (*(typeof(type) *)value)
#define bpf_core_enum_value_exists(type, value) \
	__builtin_preserve_enum_value(___bpf_enumerator(type, value), BPF_ENUMVAL_EXISTS)
#define bpf_core_enum_value(type, value) \
	__builtin_preserve_enum_value(___bpf_enumerator(type, value), BPF_ENUMVAL_VALUE)

/* ---- reading memory with relocated addresses ---- */

#define bpf_core_read(to, size, from) \
	bpf_probe_read_kernel(to, size, __builtin_preserve_access_index((const void *)(from)))
#define bpf_core_read_user(to, size, from) \
	bpf_probe_read_user(to, size, __builtin_preserve_access_index((const void *)(from)))
#define bpf_core_read_str(to, size, from) \
	bpf_probe_read_kernel_str(to, size, __builtin_preserve_access_index((const void *)(from)))
#define bpf_core_read_user_str(to, size, from) \
	bpf_probe_read_user_str(to, size, __builtin_preserve_access_index((const void *)(from)))

extern void *bpf_rdonly_cast(const void *object, __u32 btf_id) __ksym __weak;
/* A pointer that the verifier lets be followed, but not written through (since Linux 6.2). */
#define bpf_core_cast(pointer, type) \
	((typeof(type) *)bpf_rdonly_cast((pointer), bpf_core_type_id_kernel(type)))

/* ---- chains of pointers: BPF_CORE_READ(task, real_parent, tgid) ---- */

#if __clang_major__ >= 19
#define ___bpf_plain(expression) __typeof_unqual__(expression)
#else
#define ___bpf_plain(expression) typeof(expression)
#endif

/* source->a->b->... as an expression, for its type */
#define ___bpf_chain1(source, a) (source)->a
#define ___bpf_chain2(source, a, ...) ___bpf_chain1((source)->a, __VA_ARGS__)
#define ___bpf_chain3(source, a, ...) ___bpf_chain2((source)->a, __VA_ARGS__)
#define ___bpf_chain4(source, a, ...) ___bpf_chain3((source)->a, __VA_ARGS__)
#define ___bpf_chain5(source, a, ...) ___bpf_chain4((source)->a, __VA_ARGS__)
#define ___bpf_chain6(source, a, ...) ___bpf_chain5((source)->a, __VA_ARGS__)
#define ___bpf_chain7(source, a, ...) ___bpf_chain6((source)->a, __VA_ARGS__)
#define ___bpf_chain8(source, a, ...) ___bpf_chain7((source)->a, __VA_ARGS__)
#define ___bpf_chain9(source, a, ...) ___bpf_chain8((source)->a, __VA_ARGS__)
#define ___bpf_chain(source, a...) ___bpf_apply(___bpf_chain, ___bpf_narg(a))(source, a)

/* One pointer of a chain, read with `hop`. */
#define ___bpf_hop(hop, source, member)                                          \
	({                                                                       \
		__auto_type ___from = (source);                                  \
		___bpf_plain(___from->member) ___pointer;                        \
		hop((void *)&___pointer, sizeof(___pointer), &___from->member);  \
		___pointer;                                                      \
	})

/* All but the last member are pointers, read with `hop`; the last is read with `last`. */
#define ___bpf_walk1(hop, last, to, source, a)                           \
	({                                                               \
		__auto_type ___base = (source);                          \
		last((void *)(to), sizeof(*(to)), &___base->a);          \
	})
#define ___bpf_walk2(hop, last, to, source, a, ...) \
	___bpf_walk1(hop, last, to, ___bpf_hop(hop, source, a), __VA_ARGS__)
#define ___bpf_walk3(hop, last, to, source, a, ...) \
	___bpf_walk2(hop, last, to, ___bpf_hop(hop, source, a), __VA_ARGS__)
#define ___bpf_walk4(hop, last, to, source, a, ...) \
	___bpf_walk3(hop, last, to, ___bpf_hop(hop, source, a), __VA_ARGS__)
#define ___bpf_walk5(hop, last, to, source, a, ...) \
	___bpf_walk4(hop, last, to, ___bpf_hop(hop, source, a), __VA_ARGS__)
#define ___bpf_walk6(hop, last, to, source, a, ...) \
	___bpf_walk5(hop, last, to, ___bpf_hop(hop, source, a), __VA_ARGS__)
#define ___bpf_walk7(hop, last, to, source, a, ...) \
	___bpf_walk6(hop, last, to, ___bpf_hop(hop, source, a), __VA_ARGS__)
#define ___bpf_walk8(hop, last, to, source, a, ...) \
	___bpf_walk7(hop, last, to, ___bpf_hop(hop, source, a), __VA_ARGS__)
#define ___bpf_walk9(hop, last, to, source, a, ...) \
	___bpf_walk8(hop, last, to, ___bpf_hop(hop, source, a), __VA_ARGS__)
#define ___bpf_walk(hop, last, to, source, a...) \
	___bpf_apply(___bpf_walk, ___bpf_narg(a))(hop, last, to, source, a)

/* The value at the end of a chain. */
#define ___bpf_value(hop, source, a...)                                  \
	({                                                               \
		___bpf_plain(___bpf_chain(source, a)) ___value;          \
		___bpf_walk(hop, hop, &___value, source, a);             \
		___value;                                                \
	})

/* Names: CORE relocates, PROBE does not; USER reads user memory; INTO gives the helper's result. */
#define BPF_CORE_READ(source, a...) ___bpf_value(bpf_core_read, source, a)
#define BPF_CORE_READ_USER(source, a...) ___bpf_value(bpf_core_read_user, source, a)
#define BPF_PROBE_READ(source, a...) ___bpf_value(bpf_probe_read_kernel, source, a)
#define BPF_PROBE_READ_USER(source, a...) ___bpf_value(bpf_probe_read_user, source, a)

#define BPF_CORE_READ_INTO(to, source, a...) \
	___bpf_walk(bpf_core_read, bpf_core_read, to, source, a)
#define BPF_CORE_READ_USER_INTO(to, source, a...) \
	___bpf_walk(bpf_core_read_user, bpf_core_read_user, to, source, a)
#define BPF_PROBE_READ_INTO(to, source, a...) \
	___bpf_walk(bpf_probe_read_kernel, bpf_probe_read_kernel, to, source, a)
#define BPF_PROBE_READ_USER_INTO(to, source, a...) \
	___bpf_walk(bpf_probe_read_user, bpf_probe_read_user, to, source, a)

#define BPF_CORE_READ_STR_INTO(to, source, a...) \
	___bpf_walk(bpf_core_read, bpf_core_read_str, to, source, a)
#define BPF_CORE_READ_USER_STR_INTO(to, source, a...) \
	___bpf_walk(bpf_core_read_user, bpf_core_read_user_str, to, source, a)
#define BPF_PROBE_READ_STR_INTO(to, source, a...) \
	___bpf_walk(bpf_probe_read_kernel, bpf_probe_read_kernel_str, to, source, a)
#define BPF_PROBE_READ_USER_STR_INTO(to, source, a...) \
	___bpf_walk(bpf_probe_read_user, bpf_probe_read_user_str, to, source, a)

/* ---- bitfields ---- */

#define ___bpf_info(source, field, what) \
	__builtin_preserve_field_info((source)->field, BPF_FIELD_##what)

/* The bitfield's bits, out of the bytes that hold it. */
#define ___bpf_bits(source, field, bits)                                        \
	({                                                                      \
		unsigned long long ___bits = (bits);                            \
		___bits <<= ___bpf_info(source, field, LSHIFT_U64);             \
		___bpf_info(source, field, SIGNED)                              \
			? (unsigned long long)((long long)___bits >>            \
					       ___bpf_info(source, field, RSHIFT_U64)) \
			: ___bits >> ___bpf_info(source, field, RSHIFT_U64);    \
	})

/* From memory that the program may read directly. */
#define BPF_CORE_READ_BITFIELD(source, field)                                            \
	({                                                                               \
		const char *___at =                                                      \
			(const char *)(source) + ___bpf_info(source, field, BYTE_OFFSET); \
		unsigned long long ___raw = 0;                                           \
		barrier_var(___at);                                                      \
		switch (___bpf_info(source, field, BYTE_SIZE)) {                         \
		case 1: ___raw = *(const unsigned char *)___at; break;                   \
		case 2: ___raw = *(const unsigned short *)___at; break;                  \
		case 4: ___raw = *(const unsigned int *)___at; break;                    \
		case 8: ___raw = *(const unsigned long long *)___at; break;              \
		}                                                                        \
		___bpf_bits(source, field, ___raw);                                      \
	})

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ___bpf_low_bytes(raw, size) ((char *)&(raw))
#else
#define ___bpf_low_bytes(raw, size) ((char *)&(raw) + 8 - (size))
#endif

/* From any kernel memory. */
#define BPF_CORE_READ_BITFIELD_PROBED(source, field)                                          \
	({                                                                                    \
		unsigned long long ___raw = 0;                                                \
		bpf_probe_read_kernel(                                                        \
			___bpf_low_bytes(___raw, ___bpf_info(source, field, BYTE_SIZE)),      \
			___bpf_info(source, field, BYTE_SIZE),                                \
			(const char *)(source) + ___bpf_info(source, field, BYTE_OFFSET));    \
		___bpf_bits(source, field, ___raw);                                           \
	})

/* Into memory that the program may write directly. */
#define BPF_CORE_WRITE_BITFIELD(target, field, value)                                          \
	({                                                                                     \
		char *___at = (char *)(target) + ___bpf_info(target, field, BYTE_OFFSET);      \
		unsigned int ___left = ___bpf_info(target, field, LSHIFT_U64);                 \
		unsigned int ___right = ___bpf_info(target, field, RSHIFT_U64);                \
		unsigned long long ___mask = (~0ULL << ___right) >> ___left;                   \
		unsigned long long ___new =                                                    \
			((unsigned long long)(value) << ___right) >> ___left;                  \
		barrier_var(___at);                                                            \
		switch (___bpf_info(target, field, BYTE_SIZE)) {                               \
		case 1: ___bpf_merge(unsigned char, ___at, ___mask, ___new); break;            \
		case 2: ___bpf_merge(unsigned short, ___at, ___mask, ___new); break;           \
		case 4: ___bpf_merge(unsigned int, ___at, ___mask, ___new); break;             \
		case 8: ___bpf_merge(unsigned long long, ___at, ___mask, ___new); break;       \
		}                                                                              \
	})
#define ___bpf_merge(type, at, mask, bits) \
	(*(type *)(at) = (type)((*(type *)(at) & ~(mask)) | (bits)))

#endif
