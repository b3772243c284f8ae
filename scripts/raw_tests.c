/* Writes out the raw instruction tests of the kernel's selftests (verifier/*.c), which are arrays
 * built by macros: one line per thing, for scripts/corpus_verifier.py. It is compiled around the
 * selftests' own test_verifier.c, whose calls into the kernel are answered here by writing down
 * what was asked for.
 *
 *     btf FD HEX                                             a set of types
 *     map FD TYPE KEY VALUE ENTRIES FLAGS INNER BTF VALUE-TYPE
 *     test PROG-TYPE ATTACH-TYPE FLAGS EXPECTED NAME         opens a test
 *     unpriv EXPECTED WORDS                                  of it, without capabilities
 *     kfunc SLOT NAME    target NAME    func SLOT TYPE    types BTF
 *     insns HEX                                              closes it
 */
#define main selftest_main
#include "test_verifier.c"
#undef main

static int next_fd = 1000;
static struct bpf_insn code[MAX_TEST_INSNS];

static void hex(const void *data, size_t size)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++)
		printf("%02x", bytes[i]);
	putchar('\n');
}

int bpf_btf_load(const void *data, size_t size, struct bpf_btf_load_opts *opts)
{
	printf("btf %d ", ++next_fd);
	hex(data, size);
	return next_fd;
}

int bpf_map_create(enum bpf_map_type type, const char *name, __u32 key, __u32 value,
		   __u32 entries, const struct bpf_map_create_opts *opts)
{
	printf("map %d %d %u %u %u %u %u %u %u\n", ++next_fd, type, key, value, entries,
	       opts ? opts->map_flags : 0, opts ? opts->inner_map_fd : 0, opts ? opts->btf_fd : 0,
	       opts ? opts->btf_value_type_id : 0);
	return next_fd;
}

int bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	return 0;
}

int bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
		  const struct bpf_insn *insns, size_t count, struct bpf_prog_load_opts *opts)
{
	return ++next_fd; /* what a prog_array is filled with */
}

/* No kernel function is found: their names are written instead. */
struct btf *btf__load_vmlinux_btf(void)
{
	return NULL;
}

int cap_enable_effective(__u64 caps, __u64 *old)
{
	return 0;
}

int cap_disable_effective(__u64 caps, __u64 *old)
{
	return 0;
}

static size_t length(const struct bpf_insn *insns)
{
	size_t count = MAX_INSNS;

	while (count > 1 && !insns[count - 1].code && !insns[count - 1].imm)
		count--;
	return count;
}

static const char *words(struct bpf_test *test)
{
	return test->errstr_unpriv ?: test->errstr ?: "";
}

static void write_test(struct bpf_test *test)
{
	int fds[MAX_NR_MAPS] = {0}, fd_array = -1;
	int type = test->prog_type ?: BPF_PROG_TYPE_SOCKET_FILTER;
	unsigned int flags = 0;
	size_t count;

	if (test->flags & F_LOAD_WITH_STRICT_ALIGNMENT)
		flags |= BPF_F_STRICT_ALIGNMENT;
	if (test->flags & F_NEEDS_EFFICIENT_UNALIGNED_ACCESS)
		flags |= BPF_F_ANY_ALIGNMENT;
	if (test->flags & ~3)
		flags |= test->flags;
	srand(1);
	do_test_fixup(test, type, test->insns, fds, &fd_array);
	count = test->fill_insns ? test->prog_len : length(test->insns);
	memcpy(code, test->fill_insns ?: test->insns, count * sizeof(*code));
	printf("test %d %d %u %d %s\n", type, test->expected_attach_type, flags, test->result,
	       test->descr);
	printf("unpriv %d %.*s\n", test->result_unpriv != UNDEF ? test->result_unpriv : test->result,
	       (int)strcspn(words(test), "\t\n"), words(test));
	for (struct kfunc_btf_id_pair *pair = test->fixup_kfunc_btf_id; pair->kfunc; pair++)
		printf("kfunc %d %s\n", pair->insn_idx, pair->kfunc);
	if (test->kfunc)
		printf("target %s\n", test->kfunc);
	if (test->btf_types[0])
		printf("types %d\n", load_btf_for_test(test));
	for (int i = 0; i < test->func_info_cnt; i++)
		printf("func %u %u\n", test->func_info[i].insn_off, test->func_info[i].type_id);
	printf("insns ");
	hex(code, count * sizeof(*code));
	free(test->fill_insns);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		write_test(&tests[i]);
	return 0;
}
