/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of traced functions: from registers, and as the parameters of a C function. */
#ifndef EBEE_BPF_TRACING_H
#define EBEE_BPF_TRACING_H

#include "bpf_helpers.h"
#include "bpf_core_read.h"

/* ---- registers: PT_REGS_PARM1(ctx) ... of the target that is compiled for ---- */

#if !defined(__TARGET_ARCH_x86) && !defined(__TARGET_ARCH_arm64)
#if defined(__x86_64__)
#define __TARGET_ARCH_x86
#elif defined(__aarch64__)
#define __TARGET_ARCH_arm64
#endif
#endif

#if defined(__TARGET_ARCH_x86)

/* The kernel's own struct pt_regs (vmlinux.h) has short names, the one for users long ones. */
#if defined(__KERNEL__) || defined(__VMLINUX_H__)
#define ___reg_1 di
#define ___reg_2 si
#define ___reg_3 dx
#define ___reg_4 cx
#define ___reg_5 r8
#define ___reg_6 r9
#define ___reg_return sp
#define ___reg_frame bp
#define ___reg_result ax
#define ___reg_stack sp
#define ___reg_ip ip
#define ___reg_syscall orig_ax
#else
#define ___reg_1 rdi
#define ___reg_2 rsi
#define ___reg_3 rdx
#define ___reg_4 rcx
#define ___reg_5 r8
#define ___reg_6 r9
#define ___reg_return rsp
#define ___reg_frame rbp
#define ___reg_result rax
#define ___reg_stack rsp
#define ___reg_ip rip
#define ___reg_syscall orig_rax
#endif
#define ___reg_syscall_1 ___reg_1
#define ___reg_syscall_4 r10
#define __PT_REGS_CAST(ctx) (ctx)
/* x86-64 kernels wrap system calls: the function's argument is the caller's registers. */
#define PT_REGS_SYSCALL_REGS(ctx) ((struct pt_regs *)PT_REGS_PARM1(ctx))

#elif defined(__TARGET_ARCH_arm64)

struct pt_regs___orig_x0 {
	unsigned long orig_x0;
} __attribute__((preserve_access_index));
#define ___reg_1 regs[0]
#define ___reg_2 regs[1]
#define ___reg_3 regs[2]
#define ___reg_4 regs[3]
#define ___reg_5 regs[4]
#define ___reg_6 regs[5]
#define ___reg_7 regs[6]
#define ___reg_8 regs[7]
#define ___reg_return regs[30]
#define ___reg_frame regs[29]
#define ___reg_result regs[0]
#define ___reg_stack sp
#define ___reg_ip pc
#define ___reg_syscall regs[8]
#define ___reg_syscall_4 regs[3]
#define __PT_REGS_CAST(ctx) ((const struct user_pt_regs *)(ctx))
#define PT_REGS_SYSCALL_REGS(ctx) ((struct pt_regs *)PT_REGS_PARM1(ctx))
#define ___syscall_parm1(ctx) (((const struct pt_regs___orig_x0 *)(ctx))->orig_x0)
#define ___syscall_parm1_core(ctx) BPF_CORE_READ((const struct pt_regs___orig_x0 *)(ctx), orig_x0)

#endif

#ifdef ___reg_1

#ifndef ___syscall_parm1
#define ___syscall_parm1(ctx) PT_REGS_PARM1(ctx)
#define ___syscall_parm1_core(ctx) PT_REGS_PARM1_CORE(ctx)
#endif

#define PT_REGS_PARM1(ctx) (__PT_REGS_CAST(ctx)->___reg_1)
#define PT_REGS_PARM2(ctx) (__PT_REGS_CAST(ctx)->___reg_2)
#define PT_REGS_PARM3(ctx) (__PT_REGS_CAST(ctx)->___reg_3)
#define PT_REGS_PARM4(ctx) (__PT_REGS_CAST(ctx)->___reg_4)
#define PT_REGS_PARM5(ctx) (__PT_REGS_CAST(ctx)->___reg_5)
#define PT_REGS_PARM6(ctx) (__PT_REGS_CAST(ctx)->___reg_6)
#define PT_REGS_RET(ctx) (__PT_REGS_CAST(ctx)->___reg_return)
#define PT_REGS_FP(ctx) (__PT_REGS_CAST(ctx)->___reg_frame)
#define PT_REGS_RC(ctx) (__PT_REGS_CAST(ctx)->___reg_result)
#define PT_REGS_SP(ctx) (__PT_REGS_CAST(ctx)->___reg_stack)
#define PT_REGS_IP(ctx) (__PT_REGS_CAST(ctx)->___reg_ip)

#define PT_REGS_PARM1_CORE(ctx) BPF_CORE_READ(__PT_REGS_CAST(ctx), ___reg_1)
#define PT_REGS_PARM2_CORE(ctx) BPF_CORE_READ(__PT_REGS_CAST(ctx), ___reg_2)
#define PT_REGS_PARM3_CORE(ctx) BPF_CORE_READ(__PT_REGS_CAST(ctx), ___reg_3)
#define PT_REGS_PARM4_CORE(ctx) BPF_CORE_READ(__PT_REGS_CAST(ctx), ___reg_4)
#define PT_REGS_PARM5_CORE(ctx) BPF_CORE_READ(__PT_REGS_CAST(ctx), ___reg_5)
#define PT_REGS_PARM6_CORE(ctx) BPF_CORE_READ(__PT_REGS_CAST(ctx), ___reg_6)
#define PT_REGS_RET_CORE(ctx) BPF_CORE_READ(__PT_REGS_CAST(ctx), ___reg_return)
#define PT_REGS_FP_CORE(ctx) BPF_CORE_READ(__PT_REGS_CAST(ctx), ___reg_frame)
#define PT_REGS_RC_CORE(ctx) BPF_CORE_READ(__PT_REGS_CAST(ctx), ___reg_result)
#define PT_REGS_SP_CORE(ctx) BPF_CORE_READ(__PT_REGS_CAST(ctx), ___reg_stack)
#define PT_REGS_IP_CORE(ctx) BPF_CORE_READ(__PT_REGS_CAST(ctx), ___reg_ip)

#ifdef ___reg_7
#define PT_REGS_PARM7(ctx) (__PT_REGS_CAST(ctx)->___reg_7)
#define PT_REGS_PARM8(ctx) (__PT_REGS_CAST(ctx)->___reg_8)
#define PT_REGS_PARM7_CORE(ctx) BPF_CORE_READ(__PT_REGS_CAST(ctx), ___reg_7)
#define PT_REGS_PARM8_CORE(ctx) BPF_CORE_READ(__PT_REGS_CAST(ctx), ___reg_8)
#endif

/* Arguments of system calls, of registers that PT_REGS_SYSCALL_REGS gave. */
#define PT_REGS_PARM1_SYSCALL(ctx) ___syscall_parm1(ctx)
#define PT_REGS_PARM2_SYSCALL(ctx) PT_REGS_PARM2(ctx)
#define PT_REGS_PARM3_SYSCALL(ctx) PT_REGS_PARM3(ctx)
#define PT_REGS_PARM4_SYSCALL(ctx) (__PT_REGS_CAST(ctx)->___reg_syscall_4)
#define PT_REGS_PARM5_SYSCALL(ctx) PT_REGS_PARM5(ctx)
#define PT_REGS_PARM6_SYSCALL(ctx) PT_REGS_PARM6(ctx)
#define PT_REGS_PARM1_CORE_SYSCALL(ctx) ___syscall_parm1_core(ctx)
#define PT_REGS_PARM2_CORE_SYSCALL(ctx) PT_REGS_PARM2_CORE(ctx)
#define PT_REGS_PARM3_CORE_SYSCALL(ctx) PT_REGS_PARM3_CORE(ctx)
#define PT_REGS_PARM4_CORE_SYSCALL(ctx) BPF_CORE_READ(__PT_REGS_CAST(ctx), ___reg_syscall_4)
#define PT_REGS_PARM5_CORE_SYSCALL(ctx) PT_REGS_PARM5_CORE(ctx)
#define PT_REGS_PARM6_CORE_SYSCALL(ctx) PT_REGS_PARM6_CORE(ctx)

#else /* a target whose registers this header does not know: an error where they are used */

#define ___bpf_no_registers                                                         \
	({                                                                          \
		_Static_assert(0, "bpf_tracing.h knows no registers of this target"); \
		0UL;                                                                \
	})
#define PT_REGS_PARM1(ctx) ___bpf_no_registers
#define PT_REGS_PARM2(ctx) ___bpf_no_registers
#define PT_REGS_PARM3(ctx) ___bpf_no_registers
#define PT_REGS_PARM4(ctx) ___bpf_no_registers
#define PT_REGS_PARM5(ctx) ___bpf_no_registers
#define PT_REGS_PARM6(ctx) ___bpf_no_registers
#define PT_REGS_RC(ctx) ___bpf_no_registers
#define PT_REGS_IP(ctx) ___bpf_no_registers
#define PT_REGS_SYSCALL_REGS(ctx) ((void *)___bpf_no_registers)
#define PT_REGS_PARM1_CORE_SYSCALL(ctx) ___bpf_no_registers

#endif

/* ---- programs written as the function that they trace ----
 *
 * SEC("fentry/do_unlinkat")
 * int BPF_PROG(on_unlink, int dfd, struct filename *name) { ... }
 *
 * makes a program on_unlink(ctx) that calls the body, inlined, with typed arguments; the body also
 * has `ctx`. */

/* ctx[0], ctx[1], ... behind ctx itself */
#define ___bpf_slots0() ctx
#define ___bpf_slots1(a) ___bpf_slots0(), (void *)ctx[0]
#define ___bpf_slots2(a, args...) ___bpf_slots1(args), (void *)ctx[1]
#define ___bpf_slots3(a, args...) ___bpf_slots2(args), (void *)ctx[2]
#define ___bpf_slots4(a, args...) ___bpf_slots3(args), (void *)ctx[3]
#define ___bpf_slots5(a, args...) ___bpf_slots4(args), (void *)ctx[4]
#define ___bpf_slots6(a, args...) ___bpf_slots5(args), (void *)ctx[5]
#define ___bpf_slots7(a, args...) ___bpf_slots6(args), (void *)ctx[6]
#define ___bpf_slots8(a, args...) ___bpf_slots7(args), (void *)ctx[7]
#define ___bpf_slots9(a, args...) ___bpf_slots8(args), (void *)ctx[8]
#define ___bpf_slots10(a, args...) ___bpf_slots9(args), (void *)ctx[9]
#define ___bpf_slots11(a, args...) ___bpf_slots10(args), (void *)ctx[10]
#define ___bpf_slots12(a, args...) ___bpf_slots11(args), (void *)ctx[11]

/* PT_REGS_PARM1(ctx), ... behind ctx itself */
#define ___bpf_parms0() ctx
#define ___bpf_parms1(a) ___bpf_parms0(), (void *)PT_REGS_PARM1(ctx)
#define ___bpf_parms2(a, args...) ___bpf_parms1(args), (void *)PT_REGS_PARM2(ctx)
#define ___bpf_parms3(a, args...) ___bpf_parms2(args), (void *)PT_REGS_PARM3(ctx)
#define ___bpf_parms4(a, args...) ___bpf_parms3(args), (void *)PT_REGS_PARM4(ctx)
#define ___bpf_parms5(a, args...) ___bpf_parms4(args), (void *)PT_REGS_PARM5(ctx)
#define ___bpf_parms6(a, args...) ___bpf_parms5(args), (void *)PT_REGS_PARM6(ctx)
#define ___bpf_parms7(a, args...) ___bpf_parms6(args), (void *)PT_REGS_PARM7(ctx)
#define ___bpf_parms8(a, args...) ___bpf_parms7(args), (void *)PT_REGS_PARM8(ctx)

/* What the function that was traced gives back. */
#define ___bpf_result0() ctx
#define ___bpf_result1(a) ctx, (void *)PT_REGS_RC(ctx)

/* Arguments of a system call, read from the registers that `regs` points to. */
#define ___bpf_sysparms0() ctx
#define ___bpf_sysparms1(a) ___bpf_sysparms0(), (void *)PT_REGS_PARM1_CORE_SYSCALL(regs)
#define ___bpf_sysparms2(a, args...) ___bpf_sysparms1(args), (void *)PT_REGS_PARM2_CORE_SYSCALL(regs)
#define ___bpf_sysparms3(a, args...) ___bpf_sysparms2(args), (void *)PT_REGS_PARM3_CORE_SYSCALL(regs)
#define ___bpf_sysparms4(a, args...) ___bpf_sysparms3(args), (void *)PT_REGS_PARM4_CORE_SYSCALL(regs)
#define ___bpf_sysparms5(a, args...) ___bpf_sysparms4(args), (void *)PT_REGS_PARM5_CORE_SYSCALL(regs)
#define ___bpf_sysparms6(a, args...) ___bpf_sysparms5(args), (void *)PT_REGS_PARM6_CORE_SYSCALL(regs)

/* `name(context)` calls `____name(arguments)`, whose body follows the macro. */
#define ___bpf_wrapped(name, context, before, arguments, args...)          \
	name(context);                                                     \
	static __always_inline typeof(name(0)) ____##name(context, ##args); \
	typeof(name(0)) name(context)                                      \
	{                                                                  \
		before                                                     \
		_Pragma("GCC diagnostic push")                             \
		_Pragma("GCC diagnostic ignored \"-Wint-conversion\"")     \
		return ____##name(arguments);                              \
		_Pragma("GCC diagnostic pop")                              \
	}                                                                  \
	static __always_inline typeof(name(0)) ____##name(context, ##args)

#define BPF_PROG(name, args...)                                                       \
	___bpf_wrapped(name, unsigned long long *ctx, ,                               \
		       ___bpf_apply(___bpf_slots, ___bpf_narg(args))(args), ##args)

/* The same with types and names apart, BPF_PROG2(name, struct pair, p, int, n), for functions that
 * take structs by value: those of more than 8 bytes have two slots of the context. */
#define ___bpf_slots_of(type) ((sizeof(type) + 7) / 8)
#define ___bpf_slot_value(type, i)                                                      \
	({                                                                              \
		union {                                                                 \
			unsigned char u8;                                               \
			unsigned short u16;                                             \
			unsigned int u32;                                               \
			unsigned long long u64[2];                                      \
			type value;                                                     \
		} ___slot;                                                              \
		_Static_assert(sizeof(type) <= 16, "an argument of more than 16 bytes"); \
		if (sizeof(type) == 1)                                                  \
			___slot.u8 = ctx[i];                                            \
		else if (sizeof(type) == 2)                                             \
			___slot.u16 = ctx[i];                                           \
		else if (sizeof(type) == 4)                                             \
			___slot.u32 = ctx[i];                                           \
		else                                                                    \
			___slot.u64[0] = ctx[i];                                        \
		if (sizeof(type) > 8)                                                   \
			___slot.u64[1] = ctx[(i) + 1];                                  \
		___slot.value;                                                          \
	})

#define ___bpf_decl0()
#define ___bpf_decl2(type, x) , type x
#define ___bpf_decl4(type, x, ...) , type x ___bpf_decl2(__VA_ARGS__)
#define ___bpf_decl6(type, x, ...) , type x ___bpf_decl4(__VA_ARGS__)
#define ___bpf_decl8(type, x, ...) , type x ___bpf_decl6(__VA_ARGS__)
#define ___bpf_decl10(type, x, ...) , type x ___bpf_decl8(__VA_ARGS__)
#define ___bpf_decl12(type, x, ...) , type x ___bpf_decl10(__VA_ARGS__)
#define ___bpf_decl14(type, x, ...) , type x ___bpf_decl12(__VA_ARGS__)
#define ___bpf_decl16(type, x, ...) , type x ___bpf_decl14(__VA_ARGS__)
#define ___bpf_decl18(type, x, ...) , type x ___bpf_decl16(__VA_ARGS__)
#define ___bpf_decl20(type, x, ...) , type x ___bpf_decl18(__VA_ARGS__)
#define ___bpf_decl22(type, x, ...) , type x ___bpf_decl20(__VA_ARGS__)
#define ___bpf_decl24(type, x, ...) , type x ___bpf_decl22(__VA_ARGS__)

#define ___bpf_pass0(i)
#define ___bpf_pass2(i, type, x) , ___bpf_slot_value(type, i)
#define ___bpf_pass4(i, type, x, ...) \
	___bpf_pass2(i, type, x) ___bpf_pass2((i) + ___bpf_slots_of(type), __VA_ARGS__)
#define ___bpf_pass6(i, type, x, ...) \
	___bpf_pass2(i, type, x) ___bpf_pass4((i) + ___bpf_slots_of(type), __VA_ARGS__)
#define ___bpf_pass8(i, type, x, ...) \
	___bpf_pass2(i, type, x) ___bpf_pass6((i) + ___bpf_slots_of(type), __VA_ARGS__)
#define ___bpf_pass10(i, type, x, ...) \
	___bpf_pass2(i, type, x) ___bpf_pass8((i) + ___bpf_slots_of(type), __VA_ARGS__)
#define ___bpf_pass12(i, type, x, ...) \
	___bpf_pass2(i, type, x) ___bpf_pass10((i) + ___bpf_slots_of(type), __VA_ARGS__)
#define ___bpf_pass14(i, type, x, ...) \
	___bpf_pass2(i, type, x) ___bpf_pass12((i) + ___bpf_slots_of(type), __VA_ARGS__)
#define ___bpf_pass16(i, type, x, ...) \
	___bpf_pass2(i, type, x) ___bpf_pass14((i) + ___bpf_slots_of(type), __VA_ARGS__)
#define ___bpf_pass18(i, type, x, ...) \
	___bpf_pass2(i, type, x) ___bpf_pass16((i) + ___bpf_slots_of(type), __VA_ARGS__)
#define ___bpf_pass20(i, type, x, ...) \
	___bpf_pass2(i, type, x) ___bpf_pass18((i) + ___bpf_slots_of(type), __VA_ARGS__)
#define ___bpf_pass22(i, type, x, ...) \
	___bpf_pass2(i, type, x) ___bpf_pass20((i) + ___bpf_slots_of(type), __VA_ARGS__)
#define ___bpf_pass24(i, type, x, ...) \
	___bpf_pass2(i, type, x) ___bpf_pass22((i) + ___bpf_slots_of(type), __VA_ARGS__)

#define ___bpf_nth24(_, _1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, _15, _16, \
		     _17, _18, _19, _20, _21, _22, _23, _24, n, ...) n
#define ___bpf_narg24(...)                                                                   \
	___bpf_nth24(_, ##__VA_ARGS__, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, \
		     10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)

#define BPF_PROG2(name, args...)                                                        \
	name(unsigned long long *ctx);                                                  \
	static __always_inline typeof(name(0)) ____##name(                              \
		unsigned long long *ctx ___bpf_apply(___bpf_decl, ___bpf_narg24(args))(args)); \
	typeof(name(0)) name(unsigned long long *ctx)                                   \
	{                                                                               \
		return ____##name(                                                      \
			ctx ___bpf_apply(___bpf_pass, ___bpf_narg24(args))(0, ##args));   \
	}                                                                               \
	static __always_inline typeof(name(0)) ____##name(                              \
		unsigned long long *ctx ___bpf_apply(___bpf_decl, ___bpf_narg24(args))(args))

#define BPF_KPROBE(name, args...)                                                     \
	___bpf_wrapped(name, struct pt_regs *ctx, ,                                   \
		       ___bpf_apply(___bpf_parms, ___bpf_narg(args))(args), ##args)

#define BPF_KRETPROBE(name, args...)                                                  \
	___bpf_wrapped(name, struct pt_regs *ctx, ,                                   \
		       ___bpf_apply(___bpf_result, ___bpf_narg(args))(args), ##args)

#define BPF_UPROBE(name, args...) BPF_KPROBE(name, ##args)
#define BPF_URETPROBE(name, args...) BPF_KRETPROBE(name, ##args)

/* On a system call's function, whether the kernel wraps it (CONFIG_ARCH_HAS_SYSCALL_WRAPPER) or
 * not. */
#define BPF_KSYSCALL(name, args...)                                                   \
	___bpf_wrapped(name, struct pt_regs *ctx,                                     \
		       struct pt_regs *regs = LINUX_HAS_SYSCALL_WRAPPER               \
			       ? PT_REGS_SYSCALL_REGS(ctx) : ctx;,                    \
		       ___bpf_apply(___bpf_sysparms, ___bpf_narg(args))(args), ##args)
#define BPF_KPROBE_SYSCALL BPF_KSYSCALL
extern _Bool LINUX_HAS_SYSCALL_WRAPPER __kconfig;

#endif
