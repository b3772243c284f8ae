"""The kernel's helpers by name. Made by scripts/gen_stubs.py from the declarations."""

from typing import Any

from ebee.lang.bpf.maps import AnyMap
from ebee.lang.bpf.sockets import Sock, SockCommon, TcpSock
from ebee.types import i32, i64, ptr, u32, u64

def bind(ctx: Any, addr: Any, addr_len: int) -> i64:
    """Bind the connecting socket to a local address.

    Since Linux 4.17."""

def bprm_opts_set(bprm: Any, flags: int) -> i64:
    """Ask for secure execution (AT_SECURE) of the program that is being started.

    Since Linux 5.11."""

def btf_find_by_name_kind(name: Any, name_sz: int, kind: int, flags: int) -> i64:
    """The id of a BTF type of the kernel, and in the high half the file descriptor of its
    module.

    Since Linux 5.14."""

def cgrp_storage_delete(map: AnyMap[Any, Any], cgroup: Any) -> i64:
    """Remove the value that a map keeps for a cgroup.

    Since Linux 6.2."""

def cgrp_storage_get(map: AnyMap[Any, Any], cgroup: Any, value: Any, flags: int) -> ptr[Any] | None:
    """The value that a map keeps for a cgroup, created with BPF_LOCAL_STORAGE_GET_F_CREATE.

    Since Linux 6.2."""

def check_mtu(ctx: Any, ifindex: int, mtu_len: Any, len_diff: int, flags: int) -> i64:
    """Whether the packet, changed by a number of bytes, fits a device's MTU (stored in mtu_len):
    0, BPF_MTU_CHK_RET_FRAG_NEEDED, or a negative error.

    Since Linux 5.12. For programs under a GPL-compatible licence."""

def clone_redirect(skb: Any, ifindex: int, flags: int) -> i64:
    """Send a copy of the packet out of a device (or, with BPF_F_INGRESS, into it).

    Since Linux 4.2."""

def copy_from_user(dst: Any, size: int, user_ptr: Any) -> i64:
    """Copy bytes from a user address, waiting for pages to be brought in.

    Since Linux 5.10."""

def copy_from_user_task(dst: Any, size: int, user_ptr: Any, tsk: Any, flags: int) -> i64:
    """Copy bytes from a user address of another task.

    Since Linux 5.18. For programs under a GPL-compatible licence."""

def csum_diff(from_: Any, from_size: int, to: Any, to_size: int, seed: int) -> i64:
    """The checksum of `to` minus that of `from`, added to a seed, as 32 bits that are not yet
    folded; sizes are multiples of 4, otherwise -EINVAL.

    Since Linux 4.6."""

def csum_level(skb: Any, level: int) -> i64:
    """Change or ask how many encapsulated checksums the device has verified.

    Since Linux 5.8."""

def csum_update(skb: Any, csum: int) -> i64:
    """Add to the checksum that the device computed over the packet.

    Since Linux 4.9."""

def current_task_under_cgroup(map: AnyMap[Any, Any], index: int) -> i64:
    """Whether the current task belongs to a cgroup of an array or below it.

    Since Linux 4.9."""

def d_path(path: Any, buf: Any, sz: int) -> i64:
    """The full name of a path; the result is its length with the NUL.

    Since Linux 5.10."""

def dynptr_data(ptr: Any, offset: int, len: int) -> ptr[Any] | None:
    """The address of a constant number of bytes inside a dynptr; null when it is read-only or
    shorter, or made of a packet.

    Since Linux 5.19."""

def dynptr_from_mem(data: Any, size: int, flags: int, ptr: Any) -> i64:
    """A dynptr to a map value: -E2BIG past 16 MiB, -EINVAL on flags, and then it is null.

    Since Linux 5.19."""

def dynptr_read(dst: Any, len: int, src: Any, offset: int, flags: int) -> i64:
    """Copy bytes from a dynptr; -E2BIG when they reach past its end, -EINVAL when it is null.

    Since Linux 5.19."""

def dynptr_write(dst: Any, offset: int, src: Any, len: int, flags: int) -> i64:
    """Copy bytes into a dynptr; -E2BIG when they reach past its end, -EINVAL when it is null or
    read-only. It makes slices of packet dynptrs invalid.

    Since Linux 5.19."""

def fib_lookup(ctx: Any, params: Any, plen: int, flags: int) -> i64:
    """Ask the routing table for the way of an address: device, next hop's addresses, MTU. 0, a
    positive BPF_FIB_LKUP_RET_* reason, or a negative error.

    Since Linux 4.18. For programs under a GPL-compatible licence."""

def find_vma(task: Any, addr: int, callback_fn: Any, callback_ctx: Any, flags: int) -> i64:
    """Call back with the memory area of a task that contains an address.

    Since Linux 5.17."""

def for_each_map_elem(
    map: AnyMap[Any, Any], callback_fn: Any, callback_ctx: Any, flags: int
) -> i64:
    """Call back for each element until the callback returns 1; the result counts the calls. No
    flags are known: -EINVAL.

    Since Linux 5.13."""

def get_attach_cookie(ctx: Any) -> u64:
    """The number that was given along when this program was attached; 0 if none.

    Since Linux 5.15."""

def get_branch_snapshot(entries: Any, size: int, flags: int) -> i64:
    """Stop the processor's branch recording and copy it.

    Since Linux 5.16. For programs under a GPL-compatible licence."""

def get_cgroup_classid(skb: Any) -> u32:
    """The net_cls class (cgroup v1) of the task that sends the packet; elsewhere of the current
    task.

    Since Linux 4.3."""

def get_current_ancestor_cgroup_id(ancestor_level: int) -> u64:
    """The id of an ancestor, by its level, of the current task's cgroup.

    Since Linux 5.7."""

def get_current_cgroup_id() -> u64:
    """The id of the current task's cgroup.

    Since Linux 4.18."""

def get_current_comm(buf: Any, size_of_buf: int) -> i64:
    """The name of the current task (at most 16 bytes with the NUL), cut to fit.

    Since Linux 4.2."""

def get_current_pid_tgid() -> u64:
    """The current task: process id (tgid) in the high, thread id in the low 32 bits.

    Since Linux 4.2."""

def get_current_task() -> u64:
    """The address of the current task_struct, as a number.

    Since Linux 4.8. For programs under a GPL-compatible licence."""

def get_current_task_btf() -> ptr[Any]:
    """The current task_struct as a pointer whose members can be loaded.

    Since Linux 5.11. For programs under a GPL-compatible licence."""

def get_current_uid_gid() -> u64:
    """The current task: group id in the high, user id in the low 32 bits.

    Since Linux 4.2."""

def get_func_arg(ctx: Any, n: int, value: Any) -> i64:
    """Argument number n of the traced function; -EINVAL when it has fewer.

    Since Linux 5.17."""

def get_func_arg_cnt(ctx: Any) -> i64:
    """The number of arguments of the traced function.

    Since Linux 5.17."""

def get_func_ip(ctx: Any) -> u64:
    """The address of the function that is traced or probed.

    Since Linux 5.15. For programs under a GPL-compatible licence."""

def get_func_ret(ctx: Any, value: Any) -> i64:
    """The result of the traced function; -EOPNOTSUPP where there is none yet.

    Since Linux 5.17."""

def get_hash_recalc(skb: Any) -> u32:
    """The flow hash of the packet, computed when it is not known.

    Since Linux 4.8."""

def get_listener_sock(sk: Any) -> Sock | None:
    """The listening socket to which a request socket belongs.

    Since Linux 5.1."""

def get_local_storage(map: AnyMap[Any, Any], flags: int) -> ptr[Any]:
    """The storage of the program's cgroup attachment.

    Since Linux 4.19."""

def get_netns_cookie(ctx: Any) -> u64:
    """A number that names the network namespace; null asks for the initial one.

    Since Linux 5.7."""

def get_ns_current_pid_tgid(dev: int, ino: int, nsdata: Any, size: int) -> i64:
    """Process and thread id of the current task as seen in a pid namespace, named by the device
    and inode of its file.

    Since Linux 5.7."""

def get_numa_node_id() -> i64:
    """The NUMA node of the current CPU.

    Since Linux 4.10."""

def get_prandom_u32() -> u32:
    """A pseudo-random number, good for sampling, not for secrets.

    Since Linux 4.1."""

def get_retval() -> i32:
    """What the system call would return as things stand.

    Since Linux 5.18."""

def get_route_realm(skb: Any) -> u32:
    """The routing realm of the packet's destination, 0 if it has none.

    Since Linux 4.4."""

def get_smp_processor_id() -> u32:
    """The number of the CPU that runs the program.

    Since Linux 4.1."""

def get_socket_cookie(ctx: Any) -> u64:
    """A number that names the socket and that no other socket ever gets; 0 without a socket.

    Since Linux 4.12."""

def get_socket_uid(skb: Any) -> u32:
    """The user who owns the socket of the packet; overflowuid when it has no full socket.

    Since Linux 4.12."""

def get_stack(ctx: Any, buf: Any, size: int, flags: int) -> i64:
    """Copy the kernel or (BPF_F_USER_STACK) user stack; the result is the number of bytes.

    Since Linux 4.18. For programs under a GPL-compatible licence."""

def get_stackid(ctx: Any, map: AnyMap[Any, Any], flags: int) -> i64:
    """Put the kernel or (BPF_F_USER_STACK) user stack into a map of stacks; the result is its
    id.

    Since Linux 4.6. For programs under a GPL-compatible licence."""

def get_task_stack(task: Any, buf: Any, size: int, flags: int) -> i64:
    """Copy the kernel or user stack of a task; the result is the number of bytes.

    Since Linux 5.9."""

def getsockopt(bpf_socket: Any, level: int, optname: int, optval: Any, optlen: int) -> i64:
    """As getsockopt(2), for the options that the kernel allows to programs.

    Since Linux 4.15."""

def ima_file_hash(file: Any, dst: Any, size: int) -> i64:
    """The hash of an open file, computed if needed; the result is its algorithm.

    Since Linux 5.18."""

def ima_inode_hash(inode: Any, dst: Any, size: int) -> i64:
    """The hash that the integrity measurement keeps of a file; the result is its algorithm.

    Since Linux 5.11."""

def inode_storage_delete(map: AnyMap[Any, Any], inode: Any) -> i32:
    """Remove the value that a map keeps for an inode.

    Since Linux 5.10."""

def inode_storage_get(map: AnyMap[Any, Any], inode: Any, value: Any, flags: int) -> ptr[Any] | None:
    """The value that a map keeps for an inode, created with BPF_LOCAL_STORAGE_GET_F_CREATE.

    Since Linux 5.10."""

def jiffies64() -> u64:
    """Ticks of the kernel's timer since shortly before boot.

    Since Linux 5.6."""

def kallsyms_lookup_name(name: Any, name_sz: int, flags: int, res: Any) -> i64:
    """The address of a kernel symbol; -ENOENT when there is none.

    Since Linux 5.16."""

def kptr_xchg(map_value: Any, ptr: Any) -> ptr[Any] | None:
    """Exchange the kernel pointer that a map value keeps; the result is the old one.

    Since Linux 5.19."""

def ktime_get_boot_ns() -> u64:
    """Nanoseconds since boot with the time in suspend (CLOCK_BOOTTIME).

    Since Linux 5.8."""

def ktime_get_coarse_ns() -> u64:
    """The time of the last timer tick (CLOCK_MONOTONIC_COARSE): cheaper, less exact.

    Since Linux 5.11."""

def ktime_get_ns() -> u64:
    """Nanoseconds since boot without the time in suspend (CLOCK_MONOTONIC).

    Since Linux 4.1."""

def ktime_get_tai_ns() -> u64:
    """International atomic time in nanoseconds since the epoch, without leap seconds
    (CLOCK_TAI).

    Since Linux 6.1."""

def l3_csum_replace(skb: Any, offset: int, from_: int, to: int, size: int) -> i64:
    """Update the checksum of an IP header at an offset after 2 or 4 of its bytes changed.

    Since Linux 4.1."""

def l4_csum_replace(skb: Any, offset: int, from_: int, to: int, flags: int) -> i64:
    """Update the checksum of a TCP or UDP header after bytes of it, or of the pseudo header,
    changed.

    Since Linux 4.1."""

def load_hdr_opt(skops: Any, searchby_res: Any, len: int, flags: int) -> i64:
    """Find a TCP header option of the packet (or of the saved SYN).

    Since Linux 5.10."""

def loop(nr_loops: int, callback_fn: Any, callback_ctx: Any, flags: int) -> i64:
    """Call back with 0, 1, 2, ... until the callback returns 1; the result counts the calls.
    More than 2^23 calls: -E2BIG, unknown flags: -EINVAL.

    Since Linux 5.17."""

def lwt_push_encap(skb: Any, type: int, hdr: Any, len: int) -> i64:
    """Put an outer header in front: segment routing, or IP (GRE, GUE, IPIP).

    Since Linux 4.18."""

def lwt_seg6_action(skb: Any, action: int, param: Any, param_len: int) -> i64:
    """Do a segment routing action: End.X, End.T, End.B6, End.B6.Encap.

    Since Linux 4.18."""

def lwt_seg6_adjust_srh(skb: Any, offset: int, delta: int) -> i64:
    """Grow or shrink the TLV space of the segment routing header.

    Since Linux 4.18."""

def lwt_seg6_store_bytes(skb: Any, offset: int, from_: Any, len: int) -> i64:
    """Write into the segment routing header: flags, tag and TLVs only.

    Since Linux 4.18."""

def map_delete_elem(map: AnyMap[Any, Any], key: Any) -> i64:
    """Take a key and its value out; -ENOENT when it is not there.

    Since Linux 3.19."""

def map_lookup_elem(map: AnyMap[Any, Any], key: Any) -> ptr[Any] | None:
    """The address of the value of a key, or null. Writing through it changes the map.

    Since Linux 3.19."""

def map_lookup_percpu_elem(map: AnyMap[Any, Any], key: Any, cpu: int) -> ptr[Any] | None:
    """The address of the value that one CPU has under a key; null for an unknown CPU.

    Since Linux 5.19."""

def map_peek_elem(map: AnyMap[Any, Any], value: Any) -> i64:
    """Copy the next value of a queue or stack and leave it there; in a bloom filter, ask whether
    the value may be a member (0) or is not (-ENOENT).

    Since Linux 4.20."""

def map_pop_elem(map: AnyMap[Any, Any], value: Any) -> i64:
    """Take the next value out of a queue or stack; -ENOENT when it is empty.

    Since Linux 4.20."""

def map_push_elem(map: AnyMap[Any, Any], value: Any, flags: int) -> i64:
    """Put a value into a queue, stack or bloom filter; BPF_EXIST drops the oldest when full,
    otherwise -E2BIG.

    Since Linux 4.20."""

def map_update_elem(map: AnyMap[Any, Any], key: Any, value: Any, flags: int) -> i64:
    """Store a value: BPF_ANY always, BPF_NOEXIST only a new key, BPF_EXIST only an old one;
    BPF_F_LOCK under the lock inside the value.

    Since Linux 3.19."""

def msg_apply_bytes(msg: Any, bytes: int) -> i64:
    """Let the verdict hold for the next bytes, without asking the program again.

    Since Linux 4.17."""

def msg_cork_bytes(msg: Any, bytes: int) -> i64:
    """Wait until this many bytes are there before the program is asked.

    Since Linux 4.17."""

def msg_pop_data(msg: Any, start: int, len: int, flags: int) -> i64:
    """Remove bytes of the message at an offset.

    Since Linux 5.0."""

def msg_pull_data(msg: Any, start: int, end: int, flags: int) -> i64:
    """Make a range of the message one piece of memory that can be reached directly.

    Since Linux 4.17."""

def msg_push_data(msg: Any, start: int, len: int, flags: int) -> i64:
    """Insert bytes into the message at an offset.

    Since Linux 4.20."""

def msg_redirect_hash(msg: Any, map: AnyMap[Any, Any], key: Any, flags: int) -> i64:
    """Send a message to a socket of a sockhash: SK_PASS, or SK_DROP.

    Since Linux 4.18."""

def msg_redirect_map(msg: Any, map: AnyMap[Any, Any], key: int, flags: int) -> i64:
    """Send a message to a socket of a sockmap: SK_PASS, or SK_DROP.

    Since Linux 4.17."""

def override_return(regs: Any, rc: int) -> i64:
    """Leave the probed function at once with this result (error injection).

    Since Linux 4.16. For programs under a GPL-compatible licence."""

def per_cpu_ptr(percpu_ptr: Any, cpu: int) -> ptr[Any] | None:
    """One CPU's copy of a per-CPU kernel variable; null for an unknown CPU.

    Since Linux 5.10."""

def perf_event_output(ctx: Any, map: AnyMap[Any, Any], flags: int, data: Any, size: int) -> i64:
    """Send a record to the perf buffer of a CPU (BPF_F_CURRENT_CPU: this one); the high half of
    the flags appends that many bytes of the packet.

    Since Linux 4.4. For programs under a GPL-compatible licence."""

def perf_event_read(map: AnyMap[Any, Any], flags: int) -> u64:
    """The count of a perf event of an array, by CPU; errors cannot be told from counts: prefer
    perf_event_read_value.

    Since Linux 4.3. For programs under a GPL-compatible licence."""

def perf_event_read_value(map: AnyMap[Any, Any], flags: int, buf: Any, buf_size: int) -> i64:
    """Count, enabled time and running time of a perf event of an array.

    Since Linux 4.15. For programs under a GPL-compatible licence."""

def perf_prog_read_value(ctx: Any, buf: Any, buf_size: int) -> i64:
    """Count, enabled time and running time of the event that runs this program.

    Since Linux 4.15. For programs under a GPL-compatible licence."""

def probe_read(dst: Any, size: int, unsafe_ptr: Any) -> i64:
    """Copy bytes from a kernel or user address; probe_read_kernel and probe_read_user say which.

    Since Linux 4.1. For programs under a GPL-compatible licence."""

def probe_read_kernel(dst: Any, size: int, unsafe_ptr: Any) -> i64:
    """Copy bytes from a kernel address; -EFAULT and zeroes when they cannot be read.

    Since Linux 5.5. For programs under a GPL-compatible licence."""

def probe_read_kernel_str(dst: Any, size: int, unsafe_ptr: Any) -> i64:
    """Copy a string from a kernel address, always NUL-terminated. Its length with the NUL.

    Since Linux 5.5. For programs under a GPL-compatible licence."""

def probe_read_str(dst: Any, size: int, unsafe_ptr: Any) -> i64:
    """Copy a string from a kernel or user address; see probe_read_kernel_str.

    Since Linux 4.11. For programs under a GPL-compatible licence."""

def probe_read_user(dst: Any, size: int, unsafe_ptr: Any) -> i64:
    """Copy bytes from a user address; -EFAULT and zeroes when they cannot be read.

    Since Linux 5.5. For programs under a GPL-compatible licence."""

def probe_read_user_str(dst: Any, size: int, unsafe_ptr: Any) -> i64:
    """Copy a string from a user address, always NUL-terminated. Its length with the NUL.

    Since Linux 5.5. For programs under a GPL-compatible licence."""

def probe_write_user(dst: Any, src: Any, len: int) -> i64:
    """Copy bytes to a user address of the current task. For experiments: it can crash the task.

    Since Linux 4.8. For programs under a GPL-compatible licence."""

def rc_keydown(ctx: Any, protocol: int, scancode: int, toggle: int) -> i64:
    """Report a pressed key by protocol and scan code.

    Since Linux 4.18. For programs under a GPL-compatible licence."""

def rc_pointer_rel(ctx: Any, rel_x: int, rel_y: int) -> i64:
    """Report a movement of a pointer.

    Since Linux 5.0. For programs under a GPL-compatible licence."""

def rc_repeat(ctx: Any) -> i64:
    """Report that the last key is still held.

    Since Linux 4.18. For programs under a GPL-compatible licence."""

def read_branch_records(ctx: Any, buf: Any, size: int, flags: int) -> i64:
    """Copy the branch records that came with a perf event, or ask for their size.

    Since Linux 5.7. For programs under a GPL-compatible licence."""

def redirect(ifindex: int, flags: int) -> i64:
    """Send the packet to a device. The result is the verdict to return: XDP_REDIRECT in XDP
    (which knows no flags: XDP_ABORTED), TC_ACT_REDIRECT in tc.

    Since Linux 4.4."""

def redirect_map(map: AnyMap[Any, Any], key: int, flags: int) -> i64:
    """Send the packet to the device, CPU or socket under a key. XDP_REDIRECT, or when the key is
    empty the two low bits of the flags; XDP_ABORTED on unknown flags.

    Since Linux 4.14."""

def redirect_neigh(ifindex: int, params: Any, plen: int, flags: int) -> i64:
    """Send the packet to a device, its link addresses filled in from the neighbour table.

    Since Linux 5.10."""

def redirect_peer(ifindex: int, flags: int) -> i64:
    """Send the packet to the other end of a device pair, in its namespace, without a queue.

    Since Linux 5.10."""

def reserve_hdr_opt(skops: Any, len: int, flags: int) -> i64:
    """Make room for a TCP header option.

    Since Linux 5.10."""

def ringbuf_discard(data: Any, flags: int) -> None:
    """Drop a reserved record: the reader skips it.

    Since Linux 5.8."""

def ringbuf_discard_dynptr(ptr: Any, flags: int) -> None:
    """Drop a reserved record: the reader skips it.

    Since Linux 5.19."""

def ringbuf_output(ringbuf: AnyMap[Any, Any], data: Any, size: int, flags: int) -> i64:
    """Copy a record into a ring buffer; -EAGAIN when it is full.

    Since Linux 5.8."""

def ringbuf_query(ringbuf: AnyMap[Any, Any], flags: int) -> u64:
    """One number about a ring buffer: unread bytes, size, consumer or producer position.

    Since Linux 5.8."""

def ringbuf_reserve(ringbuf: AnyMap[Any, Any], size: int, flags: int) -> ptr[Any] | None:
    """Room for a record of constant size in a ring buffer, to be filled and then submitted or
    discarded; null when it is full.

    Since Linux 5.8."""

def ringbuf_reserve_dynptr(ringbuf: AnyMap[Any, Any], size: int, flags: int, ptr: Any) -> i64:
    """Room for a record of any size in a ring buffer. Also after a failure the dynptr must be
    submitted or discarded.

    Since Linux 5.19."""

def ringbuf_submit(data: Any, flags: int) -> None:
    """Give a filled record to the reader. BPF_RB_NO_WAKEUP and BPF_RB_FORCE_WAKEUP say whether
    to wake it, otherwise it is woken when it waits for this record.

    Since Linux 5.8."""

def ringbuf_submit_dynptr(ptr: Any, flags: int) -> None:
    """Give a filled record to the reader.

    Since Linux 5.19."""

def send_signal(sig: int) -> i64:
    """Send a signal to the process of the current task.

    Since Linux 5.3."""

def send_signal_thread(sig: int) -> i64:
    """Send a signal to the current thread.

    Since Linux 5.6."""

def seq_printf(m: Any, fmt: Any, fmt_size: int, data: Any, data_len: int) -> i64:
    """Print into the file that reads an iterator; values are an array of u64.

    Since Linux 5.8. For programs under a GPL-compatible licence."""

def seq_printf_btf(m: Any, ptr: Any, ptr_size: int, flags: int) -> i64:
    """As snprintf_btf, into the file that reads an iterator.

    Since Linux 5.10. For programs under a GPL-compatible licence."""

def seq_write(m: Any, data: Any, len: int) -> i64:
    """Write bytes into the file that reads an iterator.

    Since Linux 5.8. For programs under a GPL-compatible licence."""

def set_hash(skb: Any, hash: int) -> i64:
    """Set the flow hash of the packet.

    Since Linux 4.13."""

def set_hash_invalid(skb: Any) -> None:
    """Forget the flow hash, so that it is computed anew.

    Since Linux 4.9."""

def set_retval(retval: int) -> i32:
    """Choose what the system call returns.

    Since Linux 5.18."""

def setsockopt(bpf_socket: Any, level: int, optname: int, optval: Any, optlen: int) -> i64:
    """As setsockopt(2), for the options that the kernel allows to programs.

    Since Linux 4.13."""

def sk_ancestor_cgroup_id(sk: Any, ancestor_level: int) -> u64:
    """The id of an ancestor, by its level, of a socket's cgroup.

    Since Linux 5.8."""

def sk_assign(ctx: Any, sk: Any, flags: int) -> i64:
    """Give the packet (tc) or the new connection (sk_lookup) to a socket.

    Since Linux 5.7."""

def sk_cgroup_id(sk: Any) -> u64:
    """The id of a socket's cgroup.

    Since Linux 5.8."""

def sk_fullsock(sk: Any) -> Sock | None:
    """The full socket behind a common one, null for request and timewait sockets.

    Since Linux 5.1."""

def sk_lookup_tcp(ctx: Any, tuple: Any, tuple_size: int, netns: int, flags: int) -> Sock:
    """The TCP socket of an address tuple in a network namespace (-1: this one).

    Since Linux 4.20."""

def sk_lookup_udp(ctx: Any, tuple: Any, tuple_size: int, netns: int, flags: int) -> Sock:
    """The UDP socket of an address tuple in a network namespace (-1: this one).

    Since Linux 4.20."""

def sk_redirect_hash(skb: Any, map: AnyMap[Any, Any], key: Any, flags: int) -> i64:
    """Send the data to a socket of a sockhash: SK_PASS, or SK_DROP.

    Since Linux 4.18."""

def sk_redirect_map(skb: Any, map: AnyMap[Any, Any], key: int, flags: int) -> i64:
    """Send the data to a socket of a sockmap: SK_PASS, or SK_DROP.

    Since Linux 4.14."""

def sk_release(sock: Any) -> i64:
    """Give back a socket that a lookup returned.

    Since Linux 4.20."""

def sk_select_reuseport(reuse: Any, map: AnyMap[Any, Any], key: Any, flags: int) -> i64:
    """Choose the socket of a SO_REUSEPORT group that gets the packet.

    Since Linux 4.19."""

def sk_storage_delete(map: AnyMap[Any, Any], sk: Any) -> i64:
    """Remove the value that a map keeps for a socket.

    Since Linux 5.2."""

def sk_storage_get(map: AnyMap[Any, Any], sk: Any, value: Any, flags: int) -> ptr[Any] | None:
    """The value that a map keeps for a socket, created with BPF_SK_STORAGE_GET_F_CREATE.

    Since Linux 5.2."""

def skb_adjust_room(skb: Any, len_diff: int, mode: int, flags: int) -> i64:
    """Insert or remove bytes behind the link header (BPF_ADJ_ROOM_MAC) or the IP header
    (BPF_ADJ_ROOM_NET), for encapsulation.

    Since Linux 4.13."""

def skb_ancestor_cgroup_id(skb: Any, ancestor_level: int) -> u64:
    """The id of an ancestor, by its level, of the cgroup of the packet's socket.

    Since Linux 4.19."""

def skb_cgroup_classid(skb: Any) -> u64:
    """The net_cls class of the packet's socket (cgroup v1).

    Since Linux 5.10."""

def skb_cgroup_id(skb: Any) -> u64:
    """The id of the cgroup of the packet's socket.

    Since Linux 4.18."""

def skb_change_head(skb: Any, len: int, flags: int) -> i64:
    """Grow the packet in front by some bytes, for a link header.

    Since Linux 4.10."""

def skb_change_proto(skb: Any, proto: int, flags: int) -> i64:
    """Make room for an IPv6 header in place of IPv4, or the reverse; the program fills it in.

    Since Linux 4.8."""

def skb_change_tail(skb: Any, len: int, flags: int) -> i64:
    """Cut or grow the packet to a length; gained bytes are zero.

    Since Linux 4.9."""

def skb_change_type(skb: Any, type: int) -> i64:
    """Change the packet type (PACKET_HOST, ...), so that the stack takes or drops it.

    Since Linux 4.8."""

def skb_ecn_set_ce(skb: Any) -> i64:
    """Mark congestion in the IP header if the flow supports it: 1 if it is marked, else 0.

    Since Linux 5.1."""

def skb_get_tunnel_key(skb: Any, key: Any, size: int, flags: int) -> i64:
    """How the packet was encapsulated: tunnel id, addresses, TOS, TTL, flow label.

    Since Linux 4.3."""

def skb_get_tunnel_opt(skb: Any, opt: Any, size: int) -> i64:
    """The options of the tunnel header that the packet came with; the result is their length.

    Since Linux 4.6."""

def skb_get_xfrm_state(skb: Any, index: int, xfrm_state: Any, size: int, flags: int) -> i64:
    """One entry of the IPsec path that the packet took.

    Since Linux 4.18."""

def skb_load_bytes(skb: Any, offset: int, to: Any, len: int) -> i64:
    """Copy bytes of the packet, wherever they lie; -EFAULT and zeroes past its end.

    Since Linux 4.5."""

def skb_load_bytes_relative(skb: Any, offset: int, to: Any, len: int, start_header: int) -> i64:
    """Copy bytes of the packet from its link header (BPF_HDR_START_MAC) or network header
    (BPF_HDR_START_NET) on.

    Since Linux 4.18."""

def skb_output(ctx: Any, map: AnyMap[Any, Any], flags: int, data: Any, size: int) -> i64:
    """As perf_event_output, from a traced function that has a socket buffer.

    Since Linux 5.5. For programs under a GPL-compatible licence."""

def skb_pull_data(skb: Any, len: int) -> i64:
    """Make the first bytes (0: all that are linear) reachable and writable directly.

    Since Linux 4.9."""

def skb_set_tstamp(skb: Any, tstamp: int, tstamp_type: int) -> i64:
    """Set the delivery time of the packet, or with type 0 clear it.

    Since Linux 5.18."""

def skb_set_tunnel_key(skb: Any, key: Any, size: int, flags: int) -> i64:
    """How a tunnel device in metadata mode shall encapsulate the packet.

    Since Linux 4.3."""

def skb_set_tunnel_opt(skb: Any, opt: Any, size: int) -> i64:
    """The options of the tunnel header that the packet shall get.

    Since Linux 4.6."""

def skb_store_bytes(skb: Any, offset: int, from_: Any, len: int, flags: int) -> i64:
    """Copy bytes into the packet; flags: BPF_F_RECOMPUTE_CSUM, BPF_F_INVALIDATE_HASH.

    Since Linux 4.1."""

def skb_under_cgroup(skb: Any, map: AnyMap[Any, Any], index: int) -> i64:
    """Whether the packet's socket belongs to a cgroup of an array or below it.

    Since Linux 4.8."""

def skb_vlan_pop(skb: Any) -> i64:
    """Take the outermost VLAN tag off.

    Since Linux 4.3."""

def skb_vlan_push(skb: Any, vlan_proto: int, vlan_tci: int) -> i64:
    """Put a VLAN tag in front, 802.1Q or 802.1ad.

    Since Linux 4.3."""

def skc_lookup_tcp(ctx: Any, tuple: Any, tuple_size: int, netns: int, flags: int) -> SockCommon:
    """As sk_lookup_tcp, and finds request and timewait sockets too.

    Since Linux 5.2."""

def skc_to_mptcp_sock(sk: Any) -> ptr[Any] | None:
    """The MPTCP connection of a subflow socket, or null.

    Since Linux 5.19."""

def skc_to_tcp6_sock(sk: Any) -> ptr[Any] | None:
    """The socket as struct tcp6_sock, if it is one.

    Since Linux 5.9."""

def skc_to_tcp_request_sock(sk: Any) -> ptr[Any] | None:
    """The socket as tcp_request_sock, if it is one.

    Since Linux 5.9."""

def skc_to_tcp_sock(sk: Any) -> ptr[Any] | None:
    """The socket as struct tcp_sock, if it is one.

    Since Linux 5.9."""

def skc_to_tcp_timewait_sock(sk: Any) -> ptr[Any] | None:
    """The socket as tcp_timewait_sock, if it is one.

    Since Linux 5.9."""

def skc_to_udp6_sock(sk: Any) -> ptr[Any] | None:
    """The socket as struct udp6_sock, if it is one.

    Since Linux 5.9."""

def skc_to_unix_sock(sk: Any) -> ptr[Any] | None:
    """The socket as struct unix_sock, if it is one.

    Since Linux 5.16."""

def snprintf(str: Any, str_size: int, fmt: Any, data: Any, data_len: int) -> i64:
    """Print into a buffer; values are an array of u64. The length of the whole text with its
    NUL, also when it was cut.

    Since Linux 5.13. For programs under a GPL-compatible licence."""

def snprintf_btf(str: Any, str_size: int, ptr: Any, btf_ptr_size: int, flags: int) -> i64:
    """Print a kernel object as text, following its BTF type.

    Since Linux 5.10."""

def sock_from_file(file: Any) -> ptr[Any] | None:
    """The socket behind an open file, if it is one.

    Since Linux 5.11."""

def sock_hash_update(skops: Any, map: AnyMap[Any, Any], key: Any, flags: int) -> i64:
    """Put the socket of the current event into a sockhash.

    Since Linux 4.18."""

def sock_map_update(skops: Any, map: AnyMap[Any, Any], key: Any, flags: int) -> i64:
    """Put the socket of the current event into a sockmap.

    Since Linux 4.14."""

def sock_ops_cb_flags_set(bpf_sock: Any, argval: int) -> i64:
    """Choose the events for which this connection calls the program again; the result has the
    bits that are not known.

    Since Linux 4.16."""

def spin_lock(lock: Any) -> None:
    """Take the lock inside a map value. One at a time, and no calls while it is held.

    Since Linux 5.1."""

def spin_unlock(lock: Any) -> None:
    """Release the lock inside a map value.

    Since Linux 5.1."""

def store_hdr_opt(skops: Any, from_: Any, len: int, flags: int) -> i64:
    """Write a TCP header option into the room that reserve_hdr_opt made.

    Since Linux 5.10."""

def strncmp(s1: Any, s1_sz: int, s2: Any) -> i64:
    """Compare at most s1_sz characters of a text with a constant one: below, equal to or above
    zero.

    Since Linux 5.17."""

def strtol(buf: Any, buf_len: int, flags: int, res: Any) -> i64:
    """The signed number at the start of a text. Flags: its base (8, 10, 16, or 0 to guess). The
    number of characters used, -EINVAL without a digit, -ERANGE past 64 bits.

    Since Linux 5.2."""

def strtoul(buf: Any, buf_len: int, flags: int, res: Any) -> i64:
    """As strtol, for an unsigned number; a minus sign is -EINVAL.

    Since Linux 5.2."""

def sys_bpf(cmd: int, attr: Any, attr_size: int) -> i64:
    """The bpf() system call.

    Since Linux 5.14."""

def sys_close(fd: int) -> i64:
    """Close a file descriptor.

    Since Linux 5.14."""

def sysctl_get_current_value(ctx: Any, buf: Any, buf_len: int) -> i64:
    """The value that the knob has now.

    Since Linux 5.2."""

def sysctl_get_name(ctx: Any, buf: Any, buf_len: int, flags: int) -> i64:
    """The name of the knob, as a path below /proc/sys or (BPF_F_SYSCTL_BASE_NAME) its last part.

    Since Linux 5.2."""

def sysctl_get_new_value(ctx: Any, buf: Any, buf_len: int) -> i64:
    """The value that is being written; -EINVAL on a read.

    Since Linux 5.2."""

def sysctl_set_new_value(ctx: Any, buf: Any, buf_len: int) -> i64:
    """Replace the value that is being written.

    Since Linux 5.2."""

def tail_call(ctx: Any, prog_array_map: AnyMap[Any, Any], index: int) -> i64:
    """Go on in another program of the same kind and never come back, at most 33 times; when
    there is none under the index, continue behind the call.

    Since Linux 4.2."""

def task_pt_regs(task: Any) -> i64:
    """The user-space registers of a task (struct pt_regs).

    Since Linux 5.15. For programs under a GPL-compatible licence."""

def task_storage_delete(map: AnyMap[Any, Any], task: Any) -> i64:
    """Remove the value that a map keeps for a task.

    Since Linux 5.11."""

def task_storage_get(map: AnyMap[Any, Any], task: Any, value: Any, flags: int) -> ptr[Any] | None:
    """The value that a map keeps for a task, created with BPF_LOCAL_STORAGE_GET_F_CREATE.

    Since Linux 5.11."""

def tcp_check_syncookie(sk: Any, iph: Any, iph_len: int, th: Any, th_len: int) -> i64:
    """Whether the acknowledgement of a TCP header answers a SYN cookie of a listening socket.

    Since Linux 5.2. For programs under a GPL-compatible licence."""

def tcp_gen_syncookie(sk: Any, iph: Any, iph_len: int, th: Any, th_len: int) -> i64:
    """A SYN cookie (low 32 bits) and the MSS it encodes for a SYN to a listening socket.

    Since Linux 5.3. For programs under a GPL-compatible licence."""

def tcp_raw_check_syncookie_ipv4(iph: Any, th: Any) -> i64:
    """Whether an IPv4 ACK carries a SYN cookie of this machine: 0, or -EACCES.

    Since Linux 6.0. For programs under a GPL-compatible licence."""

def tcp_raw_check_syncookie_ipv6(iph: Any, th: Any) -> i64:
    """Whether an IPv6 ACK carries a SYN cookie of this machine: 0, or -EACCES.

    Since Linux 6.0. For programs under a GPL-compatible licence."""

def tcp_raw_gen_syncookie_ipv4(iph: Any, th: Any, th_len: int) -> i64:
    """A SYN cookie and its MSS for an IPv4 SYN, without a socket.

    Since Linux 6.0. For programs under a GPL-compatible licence."""

def tcp_raw_gen_syncookie_ipv6(iph: Any, th: Any, th_len: int) -> i64:
    """A SYN cookie and its MSS for an IPv6 SYN, without a socket.

    Since Linux 6.0. For programs under a GPL-compatible licence."""

def tcp_send_ack(tp: Any, rcv_nxt: int) -> i64:
    """Send an acknowledgement, from a congestion control algorithm.

    Since Linux 5.6."""

def tcp_sock(sk: Any) -> TcpSock | None:
    """The TCP state of a socket, null if it is no TCP socket.

    Since Linux 5.1."""

def this_cpu_ptr(percpu_ptr: Any) -> ptr[Any]:
    """This CPU's copy of a per-CPU kernel variable.

    Since Linux 5.10."""

def timer_cancel(timer: Any) -> i64:
    """Stop a timer and wait for a callback that runs: 1 if it was armed, 0 if not.

    Since Linux 5.15. For programs under a GPL-compatible licence."""

def timer_init(timer: Any, map: AnyMap[Any, Any], flags: int) -> i64:
    """Prepare a timer inside a value of this map; flags name the clock (CLOCK_MONOTONIC,
    CLOCK_REALTIME, CLOCK_BOOTTIME).

    Since Linux 5.15. For programs under a GPL-compatible licence."""

def timer_set_callback(timer: Any, callback_fn: Any) -> i64:
    """Say what runs when the timer fires.

    Since Linux 5.15. For programs under a GPL-compatible licence."""

def timer_start(timer: Any, nsecs: int, flags: int) -> i64:
    """Fire in that many nanoseconds, or with BPF_F_TIMER_ABS at that time.

    Since Linux 5.15. For programs under a GPL-compatible licence."""

def trace_printk(fmt: Any, fmt_size: int, *arguments: Any) -> i64:
    """Print to the trace log, with up to three values. The number of bytes, or -EINVAL when the
    format is not among the known ones.

    Since Linux 4.1. For programs under a GPL-compatible licence."""

def trace_vprintk(fmt: Any, fmt_size: int, data: Any, data_len: int) -> i64:
    """As trace_printk, with up to twelve values in an array of u64.

    Since Linux 5.16. For programs under a GPL-compatible licence."""

def user_ringbuf_drain(map: AnyMap[Any, Any], callback_fn: Any, ctx: Any, flags: int) -> i64:
    """Call back for each record that user space has put into a user ring buffer; the result is
    the number of records.

    Since Linux 6.1."""

def xdp_adjust_head(xdp_md: Any, delta: int) -> i64:
    """Move the start of the packet: forward cuts bytes off, backward grows into the headroom
    behind struct xdp_frame. At least 14 bytes must remain, otherwise -EINVAL.

    Since Linux 4.10."""

def xdp_adjust_meta(xdp_md: Any, delta: int) -> i64:
    """Move the start of the metadata before the packet; its length must be a multiple of 4 and
    at most 252 bytes, otherwise -EACCES.

    Since Linux 4.15."""

def xdp_adjust_tail(xdp_md: Any, delta: int) -> i64:
    """Move the end of the packet. Bytes that are gained (since 5.8) are zero and must fit the
    frame; at least 14 bytes must remain, otherwise -EINVAL.

    Since Linux 4.18."""

def xdp_get_buff_len(xdp_md: Any) -> u64:
    """Length of the packet in bytes, all its fragments together.

    Since Linux 5.18."""

def xdp_load_bytes(xdp_md: Any, offset: int, buf: Any, len: int) -> i64:
    """Copy bytes of the packet, from any fragment; -EINVAL when they are not all there.

    Since Linux 5.18."""

def xdp_output(ctx: Any, map: AnyMap[Any, Any], flags: int, data: Any, size: int) -> i64:
    """As perf_event_output, from a traced function that has an XDP buffer.

    Since Linux 5.7. For programs under a GPL-compatible licence."""

def xdp_store_bytes(xdp_md: Any, offset: int, buf: Any, len: int) -> i64:
    """Copy bytes into the packet, into any fragment; -EINVAL when it is not that long.

    Since Linux 5.18."""
