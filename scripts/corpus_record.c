/* What a loader asks of the kernel: every program that BPF_PROG_LOAD accepts is written to the file
 * that descriptor EBEE_RECORD stands for. Put before libc (LD_PRELOAD); both ebee and libbpf make
 * their calls through its syscall(). A record: struct head, the attributes, the instructions, the
 * function records, and of each map that the instructions name its descriptor and its info. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { INFO_SIZE = 80, MAX_MAPS = 256 };

struct head {
	uint32_t fd, attr_size, insns, funcs, maps;
};

static long (*next)(long, ...);

static void put(int fd, const void *data, size_t size)
{
	while (size) {
		ssize_t done = write(fd, data, size);
		if (done <= 0)
			abort();
		data = (const char *)data + done;
		size -= done;
	}
}

static int maps_of(const struct bpf_insn *insn, uint32_t count, int *found)
{
	int maps = 0;

	for (uint32_t at = 0; at + 1 < count; at++) {
		if (insn[at].code != (BPF_LD | BPF_DW | BPF_IMM))
			continue;
		if (insn[at].src_reg == BPF_PSEUDO_MAP_FD || insn[at].src_reg == BPF_PSEUDO_MAP_VALUE) {
			int known = 0;
			while (known < maps && found[known] != insn[at].imm)
				known++;
			if (known == maps && maps < MAX_MAPS)
				found[maps++] = insn[at].imm;
		}
		at++;
	}
	return maps;
}

static void record(int fd, uint32_t made, const union bpf_attr *attr, uint32_t size)
{
	const struct bpf_insn *insns = (const void *)(uintptr_t)attr->insns;
	struct head head = { made, size, attr->insn_cnt };
	int maps[MAX_MAPS];

	head.maps = maps_of(insns, attr->insn_cnt, maps);
	if (size >= offsetof(union bpf_attr, func_info_cnt) + 4)
		head.funcs = attr->func_info_cnt * attr->func_info_rec_size;
	put(fd, &head, sizeof(head));
	put(fd, attr, size);
	put(fd, insns, (size_t)attr->insn_cnt * 8);
	if (head.funcs)
		put(fd, (const void *)(uintptr_t)attr->func_info, head.funcs);
	for (uint32_t i = 0; i < head.maps; i++) {
		char info[INFO_SIZE] = "";
		union bpf_attr ask;

		memset(&ask, 0, sizeof(ask));
		ask.info.bpf_fd = maps[i];
		ask.info.info_len = INFO_SIZE;
		ask.info.info = (uintptr_t)info;
		next(__NR_bpf, BPF_OBJ_GET_INFO_BY_FD, &ask, sizeof(ask));
		put(fd, &maps[i], sizeof(maps[i]));
		put(fd, info, INFO_SIZE);
	}
}

long syscall(long number, ...)
{
	const char *to = getenv("EBEE_RECORD");
	long a[6], result;
	va_list list;
	int code;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (!next)
		next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	result = next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	code = errno;
	if (number == __NR_bpf && a[0] == BPF_PROG_LOAD && result >= 0 && to)
		record(atoi(to), result, (const union bpf_attr *)a[1], (uint32_t)a[2]);
	errno = code;
	return result;
}
