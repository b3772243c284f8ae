/* SPDX-License-Identifier: Apache-2.0 */
/* What every BPF program in C needs: sections, map definitions, attributes, loops, printing.
 * The names are those that BPF programs everywhere use. */
#ifndef EBEE_BPF_HELPERS_H
#define EBEE_BPF_HELPERS_H

#include "bpf_helper_defs.h"

/* ---- maps: members of a struct whose variable goes to SEC(".maps") ---- */

#define __uint(name, value) int(*name)[value]
#define __type(name, type) typeof(type) *name
#define __array(name, type) typeof(type) *name[]
#define __ulong(name, value) enum { ___bpf_concat(___ulong_, __COUNTER__) = value } name

enum libbpf_pin_type {
	LIBBPF_PIN_NONE,
	LIBBPF_PIN_BY_NAME,
};

/* ---- sections and attributes ---- */

#if __GNUC__ && !__clang__
#define SEC(name) __attribute__((section(name), used))
#else
/* On extern declarations `used` means nothing, and clang would say so. */
#define SEC(name)                                                      \
	_Pragma("GCC diagnostic push")                                 \
	_Pragma("GCC diagnostic ignored \"-Wignored-attributes\"")     \
	__attribute__((section(name), used))                           \
	_Pragma("GCC diagnostic pop")
#endif

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif
#ifndef __weak
#define __weak __attribute__((weak))
#endif
#ifndef __hidden
#define __hidden __attribute__((visibility("hidden")))
#endif

#define __ksym __attribute__((section(".ksyms")))
#define __kconfig __attribute__((section(".kconfig")))

enum libbpf_tristate {
	TRI_NO,
	TRI_YES,
	TRI_MODULE,
};

#define __kptr __attribute__((btf_type_tag("kptr")))
#define __kptr_untrusted __attribute__((btf_type_tag("kptr_untrusted")))
#define __percpu_kptr __attribute__((btf_type_tag("percpu_kptr")))
#define __uptr __attribute__((btf_type_tag("uptr")))

/* How the verifier checks a global function's argument on its own. */
#define __arg_ctx __attribute__((btf_decl_tag("arg:ctx")))
#define __arg_nonnull __attribute__((btf_decl_tag("arg:nonnull")))
#define __arg_nullable __attribute__((btf_decl_tag("arg:nullable")))
#define __arg_trusted __attribute__((btf_decl_tag("arg:trusted")))
#define __arg_untrusted __attribute__((btf_decl_tag("arg:untrusted")))
#define __arg_arena __attribute__((btf_decl_tag("arg:arena")))

/* ---- plain C ---- */

#ifndef NULL
#define NULL ((void *)0)
#endif
#ifndef offsetof
#define offsetof(type, member) __builtin_offsetof(type, member)
#endif
#ifndef container_of
#define container_of(pointer, type, member) \
	((type *)((char *)(1 ? (pointer) : &((type *)0)->member) - offsetof(type, member)))
#endif
#ifndef KERNEL_VERSION
#define KERNEL_VERSION(major, minor, patch) \
	(((major) << 16) + ((minor) << 8) + ((patch) > 255 ? 255 : (patch)))
#endif

/* The compiler may move nothing across it, and forgets what it knows about memory. */
#ifndef barrier
#define barrier() asm volatile("" ::: "memory")
#endif
/* The compiler forgets what it knows about one variable. */
#ifndef barrier_var
#define barrier_var(variable) asm volatile("" : "+r"(variable))
#endif

/* A place that is not reached. clang makes a call of it that no loader can resolve. */
#ifndef __bpf_unreachable
#define __bpf_unreachable() __builtin_trap()
#endif

/* ---- counting and choosing macro arguments ---- */

#define ___bpf_concat(a, b) ___bpf_concat_(a, b)
#define ___bpf_concat_(a, b) a##b
#define ___bpf_apply(name, n) ___bpf_concat(name, n)
#define ___bpf_nth(_, _1, _2, _3, _4, _5, _6, _7, _8, _9, _a, _b, _c, n, ...) n
#define ___bpf_narg(...) ___bpf_nth(_, ##__VA_ARGS__, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)

/* Arguments as the elements of an unsigned long long array. */
#define ___bpf_u64s0(array, i)
#define ___bpf_u64s1(array, i, x) array[i] = (unsigned long long)(x);
#define ___bpf_u64s2(array, i, x, ...) ___bpf_u64s1(array, i, x) ___bpf_u64s1(array, i + 1, __VA_ARGS__)
#define ___bpf_u64s3(array, i, x, ...) ___bpf_u64s1(array, i, x) ___bpf_u64s2(array, i + 1, __VA_ARGS__)
#define ___bpf_u64s4(array, i, x, ...) ___bpf_u64s1(array, i, x) ___bpf_u64s3(array, i + 1, __VA_ARGS__)
#define ___bpf_u64s5(array, i, x, ...) ___bpf_u64s1(array, i, x) ___bpf_u64s4(array, i + 1, __VA_ARGS__)
#define ___bpf_u64s6(array, i, x, ...) ___bpf_u64s1(array, i, x) ___bpf_u64s5(array, i + 1, __VA_ARGS__)
#define ___bpf_u64s7(array, i, x, ...) ___bpf_u64s1(array, i, x) ___bpf_u64s6(array, i + 1, __VA_ARGS__)
#define ___bpf_u64s8(array, i, x, ...) ___bpf_u64s1(array, i, x) ___bpf_u64s7(array, i + 1, __VA_ARGS__)
#define ___bpf_u64s9(array, i, x, ...) ___bpf_u64s1(array, i, x) ___bpf_u64s8(array, i + 1, __VA_ARGS__)
#define ___bpf_u64s10(array, i, x, ...) ___bpf_u64s1(array, i, x) ___bpf_u64s9(array, i + 1, __VA_ARGS__)
#define ___bpf_u64s11(array, i, x, ...) ___bpf_u64s1(array, i, x) ___bpf_u64s10(array, i + 1, __VA_ARGS__)
#define ___bpf_u64s12(array, i, x, ...) ___bpf_u64s1(array, i, x) ___bpf_u64s11(array, i + 1, __VA_ARGS__)
#define ___bpf_u64s(array, ...) ___bpf_apply(___bpf_u64s, ___bpf_narg(__VA_ARGS__))(array, 0, ##__VA_ARGS__)

/* `call` with a format and the arguments as an array: (format, array, its bytes) at the end. */
#define ___bpf_formatted(format, call, ...)                                     \
	({                                                                      \
		static const char ___fmt[] = format;                            \
		unsigned long long ___args[___bpf_narg(__VA_ARGS__) ?: 1];      \
		_Pragma("GCC diagnostic push")                                  \
		_Pragma("GCC diagnostic ignored \"-Wint-conversion\"")          \
		___bpf_u64s(___args, ##__VA_ARGS__)                             \
		_Pragma("GCC diagnostic pop")                                   \
		call;                                                           \
	})
#define ___bpf_args_size(...) (___bpf_narg(__VA_ARGS__) * sizeof(unsigned long long))

/* ---- printing ---- */

#ifdef BPF_NO_GLOBAL_DATA
#define ___BPF_FMT_KIND
#else
#define ___BPF_FMT_KIND static const
#endif

#define __bpf_printk(format, args...)                            \
	({                                                              \
		___BPF_FMT_KIND char ___fmt[] = format;                 \
		bpf_trace_printk(___fmt, sizeof(___fmt), ##args);       \
	})
#define __bpf_vprintk(format, args...)                                         \
	___bpf_formatted(format,                                                      \
		bpf_trace_vprintk(___fmt, sizeof(___fmt), ___args, ___bpf_args_size(args)), \
		##args)

/* A line in trace_pipe; more than three arguments need Linux 5.16. */
#define bpf_printk(format, args...)                                                          \
	___bpf_nth(_, ##args, __bpf_vprintk, __bpf_vprintk, __bpf_vprintk, \
		   __bpf_vprintk, __bpf_vprintk, __bpf_vprintk,           \
		   __bpf_vprintk, __bpf_vprintk, __bpf_vprintk,           \
		   __bpf_printk, __bpf_printk, __bpf_printk,              \
		   __bpf_printk)(format, ##args)

#define BPF_SEQ_PRINTF(seq, format, args...)                                                 \
	___bpf_formatted(format,                                                             \
		bpf_seq_printf(seq, ___fmt, sizeof(___fmt), ___args, ___bpf_args_size(args)), \
		##args)

#define BPF_SNPRINTF(out, out_size, format, args...)                                       \
	___bpf_formatted(format,                                                           \
		bpf_snprintf(out, out_size, ___fmt, ___args, ___bpf_args_size(args)), ##args)

/* ---- tail calls with an index that the JIT can turn into a direct jump ---- */

#if defined(__clang__) && defined(__bpf__)
static __always_inline void bpf_tail_call_static(void *ctx, const void *map, const __u32 index)
{
	if (!__builtin_constant_p(index))
		__bpf_unreachable();
	/* Helper 12 with the three arguments in their registers, the index as an immediate. */
	asm volatile("r1 = %[ctx]; r2 = %[map]; r3 = %[index]; call 12"
		     :: [ctx] "r"(ctx), [map] "r"(map), [index] "i"(index)
		     : "r0", "r1", "r2", "r3", "r4", "r5");
}
#endif

/* ---- kernel functions ---- */

/* Whether a weak __ksym is there; its declaration must be weak, or the answer means nothing. */
#define bpf_ksym_exists(symbol)                                                          \
	({                                                                               \
		_Static_assert(!__builtin_constant_p(!!symbol), #symbol " must be __weak"); \
		!!symbol;                                                                \
	})

#ifndef __bpf_fastcall
#if __has_attribute(bpf_fastcall)
#define __bpf_fastcall __attribute__((bpf_fastcall))
#else
#define __bpf_fastcall
#endif
#endif

/* ---- loops ---- */

/* Open-coded iterators (since Linux 6.4). */
struct bpf_iter_num;

extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __weak __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __weak __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __weak __ksym;

/* for (each element `item` of the iterator bpf_iter_<kind>) */
#ifndef bpf_for_each
#define bpf_for_each(kind, item, args...)                                                      \
	for (struct bpf_iter_##kind ___it                                                      \
		     __attribute__((aligned(8), cleanup(bpf_iter_##kind##_destroy))),          \
	     *___new __attribute__((unused)) =                                                 \
		     (bpf_iter_##kind##_new(&___it, ##args),                                   \
		      (void)bpf_iter_##kind##_destroy, (void *)0);                             \
	     ((item) = bpf_iter_##kind##_next(&___it));)
#endif

/* for (i = start; i < end; i++), of any length */
#ifndef bpf_for
#define bpf_for(i, start, end)                                                              \
	for (struct bpf_iter_num ___it                                                      \
		     __attribute__((aligned(8), cleanup(bpf_iter_num_destroy))),            \
	     *___new __attribute__((unused)) =                                              \
		     (bpf_iter_num_new(&___it, (start), (end)),                             \
		      (void)bpf_iter_num_destroy, (void *)0);                               \
	     ({                                                                             \
		     int *___next = bpf_iter_num_next(&___it);                              \
		     ___next ? ((i) = *___next, (i) >= (start) && (i) < (end)) : 0;         \
	     });)
#endif

/* n times */
#ifndef bpf_repeat
#define bpf_repeat(n)                                                             \
	for (struct bpf_iter_num ___it                                            \
		     __attribute__((aligned(8), cleanup(bpf_iter_num_destroy))),  \
	     *___new __attribute__((unused)) =                                    \
		     (bpf_iter_num_new(&___it, 0, (n)),                           \
		      (void)bpf_iter_num_destroy, (void *)0);                     \
	     bpf_iter_num_next(&___it);)
#endif

/* may_goto (since Linux 6.9): a jump that the kernel takes when a loop has run too often. For
 * assemblers that do not know it, it is spelled as bytes; they get no 16-bit distance right, so
 * its 16 bits are part of a 32-bit number that reaches into the immediate (zero). */
#ifdef __BPF_FEATURE_MAY_GOTO
#define ___bpf_may_goto(label) asm volatile goto("may_goto %l[" #label "]" :::: label)
#elif __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ___bpf_may_goto(label)                                                          \
	asm volatile goto(".byte 0xe5, 0; .long ((%l[" #label "] - . - 6) / 8) & 0xffff; .short 0" \
			  :::: label)
#else
#define ___bpf_may_goto(label)                                                                 \
	asm volatile goto(".byte 0xe5, 0; .long (((%l[" #label "] - . - 6) / 8) & 0xffff) << 16; " \
			  ".short 0" :::: label)
#endif

/* As a loop's condition: true until the loop has run too often. */
#ifndef can_loop
#define can_loop                                  \
	({                                        \
		__label__ ___stop, ___go;         \
		_Bool ___can = 1;                 \
		___bpf_may_goto(___stop);         \
		goto ___go;                       \
	___stop:                                  \
		___can = 0;                       \
	___go:;                                   \
		___can;                           \
	})
#endif

/* As a statement in a loop: leaves it when it has run too often. */
#ifndef cond_break
#define cond_break cond_break_(break)
#define cond_break_label(label) cond_break_(goto label)
#define cond_break_(leave)                        \
	({                                        \
		__label__ ___stop, ___go;         \
		___bpf_may_goto(___stop);         \
		goto ___go;                       \
	___stop:                                  \
		leave;                            \
	___go:;                                   \
	})
#endif

#endif
