"""Types of the bundled BTF (Linux 6.18, x86_64), for editors and type checkers. Made by `ebee btf stubs`."""

import builtins as _b
from enum import IntEnum
from typing import Any, Literal, Self, TypeAlias

from ebee import types as _t
from ebee import vmlinux as _v
from ebee.types import array, char, i8, i16, i32, i64, ptr, u8, u16, u32, u64

class KernelStruct:
    def __enter__(self) -> Self | None: ...
    def __exit__(self, *_: object) -> None: ...

def __getattr__(name: str) -> Any: ...

Elf64_Sym: TypeAlias = elf64_sym
class Qdisc(KernelStruct):
    enqueue: Any
    dequeue: Any
    flags: u32
    limit: u32
    ops: Qdisc_ops
    stab: qdisc_size_table
    hash: hlist_node
    handle: u32
    parent: u32
    dev_queue: netdev_queue
    rate_est: net_rate_estimator
    cpu_bstats: gnet_stats_basic_sync
    cpu_qstats: gnet_stats_queue
    pad: i32
    refcnt: refcount_struct
    gso_skb: sk_buff_head
    q: qdisc_skb_head
    bstats: gnet_stats_basic_sync
    qstats: gnet_stats_queue
    owner: i32
    state: u64
    state2: u64
    next_sched: Qdisc
    skb_bad_txq: sk_buff_head
    busylock: spinlock
    seqlock: spinlock
    rcu: callback_head
    dev_tracker: netdevice_tracker
    root_lock_key: lock_class_key
    privdata: array[i64, Literal[0]]
class Qdisc_class_ops(KernelStruct):
    ...
class Qdisc_ops(KernelStruct):
    next: Qdisc_ops
    cl_ops: Qdisc_class_ops
    id: array[char, Literal[16]]
    priv_size: i32
    static_flags: u32
    enqueue: Any
    dequeue: Any
    peek: Any
    init: Any
    reset: Any
    destroy: Any
    change: Any
    attach: Any
    change_tx_queue_len: Any
    change_real_num_tx: Any
    dump: Any
    dump_stats: Any
    ingress_block_set: Any
    egress_block_set: Any
    ingress_block_get: Any
    egress_block_get: Any
    owner: module
U32: TypeAlias = u32
class ZSTD_cpuid_t(KernelStruct):
    f1c: u32
    f1d: u32
    f7b: u32
    f7c: u32
__addrpair: TypeAlias = u64
__be16: TypeAlias = u16
__be32: TypeAlias = u32
__be64: TypeAlias = u64
class __call_single_data(KernelStruct):
    node: __call_single_node
    func: Any
    info: Any
class __call_single_node(KernelStruct):
    llist: llist_node
    u_flags: u32
    a_flags: atomic_t
    src: u16
    dst: u16
__compat_gid_t: TypeAlias = u16
__compat_uid_t: TypeAlias = u16
__kernel_clock_t: TypeAlias = i64
__kernel_clockid_t: TypeAlias = i32
__kernel_dev_t: TypeAlias = u32
class __kernel_fsid_t(KernelStruct):
    val: array[i32, Literal[2]]
__kernel_gid32_t: TypeAlias = u32
__kernel_gid_t: TypeAlias = u32
__kernel_ipc_pid_t: TypeAlias = i32
__kernel_loff_t: TypeAlias = i64
__kernel_long_t: TypeAlias = i64
__kernel_mqd_t: TypeAlias = i32
__kernel_old_gid_t: TypeAlias = u16
__kernel_old_uid_t: TypeAlias = u16
__kernel_pid_t: TypeAlias = i32
__kernel_sa_family_t: TypeAlias = u16
__kernel_size_t: TypeAlias = u64
class __kernel_sockaddr_storage(KernelStruct):
    ...
__kernel_ssize_t: TypeAlias = i64
__kernel_time64_t: TypeAlias = i64
__kernel_timer_t: TypeAlias = i32
class __kernel_timespec(KernelStruct):
    tv_sec: i64
    tv_nsec: i64
__kernel_uid32_t: TypeAlias = u32
__kernel_uid_t: TypeAlias = u32
__kernel_ulong_t: TypeAlias = u64
__le16: TypeAlias = u16
__le32: TypeAlias = u32
__le64: TypeAlias = u64
__portpair: TypeAlias = u32
__s16: TypeAlias = i16
__s32: TypeAlias = i32
__s64: TypeAlias = i64
__s8: TypeAlias = i8
class __sifields(KernelStruct):
    class _kill_t(KernelStruct):
        _pid: i32
        _uid: u32
    _kill: _kill_t
    class _timer_t(KernelStruct):
        _tid: i32
        _overrun: i32
        _sigval: sigval
        _sys_private: i32
    _timer: _timer_t
    class _rt_t(KernelStruct):
        _pid: i32
        _uid: u32
        _sigval: sigval
    _rt: _rt_t
    class _sigchld_t(KernelStruct):
        _pid: i32
        _uid: u32
        _status: i32
        _utime: i64
        _stime: i64
    _sigchld: _sigchld_t
    class _sigfault_t(KernelStruct):
        _addr: Any
        _trapno: i32
        _addr_lsb: i16
        class _addr_bnd_t(KernelStruct):
            _dummy_bnd: array[char, Literal[8]]
            _lower: Any
            _upper: Any
        _addr_bnd: _addr_bnd_t
        class _addr_pkey_t(KernelStruct):
            _dummy_pkey: array[char, Literal[8]]
            _pkey: u32
        _addr_pkey: _addr_pkey_t
        class _perf_t(KernelStruct):
            _data: u64
            _type: u32
            _flags: u32
        _perf: _perf_t
    _sigfault: _sigfault_t
    class _sigpoll_t(KernelStruct):
        _band: i64
        _fd: i32
    _sigpoll: _sigpoll_t
    class _sigsys_t(KernelStruct):
        _call_addr: Any
        _syscall: i32
        _arch: u32
    _sigsys: _sigsys_t
class __sk_buff(KernelStruct):
    len: u32
    pkt_type: u32
    mark: u32
    queue_mapping: u32
    protocol: u32
    vlan_present: u32
    vlan_tci: u32
    vlan_proto: u32
    priority: u32
    ingress_ifindex: u32
    ifindex: u32
    tc_index: u32
    cb: array[u32, Literal[5]]
    hash: u32
    tc_classid: u32
    data: u32
    data_end: u32
    napi_id: u32
    family: u32
    remote_ip4: u32
    local_ip4: u32
    remote_ip6: array[u32, Literal[4]]
    local_ip6: array[u32, Literal[4]]
    remote_port: u32
    local_port: u32
    data_meta: u32
    flow_keys: bpf_flow_keys
    tstamp: u64
    wire_len: u32
    gso_segs: u32
    sk: bpf_sock
    gso_size: u32
    tstamp_type: u8
    hwtstamp: u64
__sum16: TypeAlias = u16
__u16: TypeAlias = u16
__u32: TypeAlias = u32
__u64: TypeAlias = u64
__u8: TypeAlias = u8
__wsum: TypeAlias = u32
class ack_sample(KernelStruct):
    pkts_acked: u32
    rtt_us: i32
    in_flight: u32
class action_cache(KernelStruct):
    allow_native: array[u64, Literal[8]]
    allow_compat: array[u64, Literal[8]]
class address_space(KernelStruct):
    host: inode
    i_pages: xarray
    invalidate_lock: rw_semaphore
    gfp_mask: u32
    i_mmap_writable: atomic_t
    i_mmap: rb_root_cached
    nrpages: u64
    writeback_index: u64
    a_ops: address_space_operations
    flags: u64
    wb_err: u32
    i_private_lock: spinlock
    i_private_list: list_head
    i_mmap_rwsem: rw_semaphore
    i_private_data: Any
class address_space_operations(KernelStruct):
    ...
class affinity_context(KernelStruct):
    ...
class anon_vma(KernelStruct):
    root: anon_vma
    rwsem: rw_semaphore
    refcount: atomic_t
    num_children: u64
    num_active_vmas: u64
    parent: anon_vma
    rb_root: rb_root_cached
class arch_hw_breakpoint(KernelStruct):
    address: u64
    mask: u64
    len: u8
    type: u8
arch_msi_msg_addr_hi_t: TypeAlias = x86_msi_addr_hi
arch_msi_msg_addr_lo_t: TypeAlias = x86_msi_addr_lo
arch_msi_msg_data_t: TypeAlias = x86_msi_data
arch_rwlock_t: TypeAlias = qrwlock
arch_spinlock_t: TypeAlias = qspinlock
class arch_tlbflush_unmap_batch(KernelStruct):
    cpumask: _v.cpumask
    unmapped_pages: bool
class arch_uprobe(KernelStruct):
    ...
class arch_uprobe_task(KernelStruct):
    saved_scratch_register: u64
    saved_trap_nr: u32
    saved_tf: u32
class arphdr(KernelStruct):
    ar_hrd: u16
    ar_pro: u16
    ar_hln: u8
    ar_pln: u8
    ar_op: u16
class assoc_array(KernelStruct):
    root: Any
    nr_leaves_on_tree: u64
class atomic64_t(KernelStruct):
    counter: i64
class atomic_long_t(KernelStruct):
    counter: i64
class atomic_t(KernelStruct):
    counter: i32
class attribute(KernelStruct):
    ...
class attribute_group(KernelStruct):
    name: ptr[u8]
    is_visible: Any
    is_bin_visible: Any
    bin_size: Any
    attrs: Any
    bin_attrs: Any
class audit_aux_data(KernelStruct):
    ...
class audit_cap_data(KernelStruct):
    permitted: kernel_cap_t
    inheritable: kernel_cap_t
    fE: u32
    effective: kernel_cap_t
    ambient: kernel_cap_t
    rootid: kuid_t
class audit_context(KernelStruct):
    dummy: i32
    context: u32
    state: u32
    current_state: u32
    stamp: audit_stamp
    major: i32
    uring_op: i32
    argv: array[u64, Literal[4]]
    return_code: i64
    prio: u64
    return_valid: i32
    preallocated_names: array[audit_names, Literal[5]]
    name_count: i32
    names_list: list_head
    filterkey: ptr[u8]
    pwd: path
    aux: audit_aux_data
    aux_pids: audit_aux_data
    sockaddr: __kernel_sockaddr_storage
    sockaddr_len: u64
    ppid: i32
    uid: kuid_t
    euid: kuid_t
    suid: kuid_t
    fsuid: kuid_t
    gid: kgid_t
    egid: kgid_t
    sgid: kgid_t
    fsgid: kgid_t
    personality: u64
    arch: i32
    target_pid: i32
    target_auid: kuid_t
    target_uid: kuid_t
    target_sessionid: u32
    target_ref: lsm_prop
    target_comm: array[char, Literal[16]]
    trees: audit_tree_refs
    first_trees: audit_tree_refs
    killed_trees: list_head
    tree_count: i32
    type: i32
    class socketcall_t(KernelStruct):
        nargs: i32
        args: array[i64, Literal[6]]
    socketcall: socketcall_t
    class ipc_t(KernelStruct):
        uid: kuid_t
        gid: kgid_t
        mode: u16
        oprop: lsm_prop
        has_perm: i32
        perm_uid: u32
        perm_gid: u32
        perm_mode: u16
        qbytes: u64
    ipc: ipc_t
    class mq_getsetattr_t(KernelStruct):
        mqdes: i32
        mqstat: mq_attr
    mq_getsetattr: mq_getsetattr_t
    class mq_notify_t(KernelStruct):
        mqdes: i32
        sigev_signo: i32
    mq_notify: mq_notify_t
    class mq_sendrecv_t(KernelStruct):
        mqdes: i32
        msg_len: u64
        msg_prio: u32
        abs_timeout: timespec64
    mq_sendrecv: mq_sendrecv_t
    class mq_open_t(KernelStruct):
        oflag: i32
        mode: u16
        attr: mq_attr
    mq_open: mq_open_t
    class capset_t(KernelStruct):
        pid: i32
        cap: audit_cap_data
    capset: capset_t
    class mmap_t(KernelStruct):
        fd: i32
        flags: i32
    mmap: mmap_t
    openat2: open_how
    class execve_t(KernelStruct):
        argc: i32
    execve: execve_t
    class module_t(KernelStruct):
        name: ptr[u8]
    module: module_t
    class time_t(KernelStruct):
        ntp_data: audit_ntp_data
        tk_injoffset: timespec64
    time: time_t
    fds: array[i32, Literal[2]]
    proctitle: audit_proctitle
class audit_krule(KernelStruct):
    ...
class audit_names(KernelStruct):
    list: list_head
    name: filename
    name_len: i32
    hidden: bool
    ino: u64
    dev: u32
    mode: u16
    uid: kuid_t
    gid: kgid_t
    rdev: u32
    oprop: lsm_prop
    fcap: audit_cap_data
    fcap_ver: u32
    type: u8
    should_free: bool
class audit_ntp_data(KernelStruct):
    vals: array[audit_ntp_val, Literal[6]]
class audit_ntp_val(KernelStruct):
    oldval: i64
    newval: i64
class audit_proctitle(KernelStruct):
    len: i32
    value: ptr[u8]
class audit_stamp(KernelStruct):
    ctime: timespec64
    serial: u32
class audit_state(IntEnum):
    AUDIT_STATE_DISABLED = 0
    AUDIT_STATE_BUILD = 1
    AUDIT_STATE_RECORD = 2
class audit_tree_refs(KernelStruct):
    ...
class autogroup(KernelStruct):
    kref: _v.kref
    tg: task_group
    lock: rw_semaphore
    id: u64
    nice: i32
class backing_dev_info(KernelStruct):
    id: u64
    rb_node: _v.rb_node
    bdi_list: list_head
    ra_pages: u64
    io_pages: u64
    refcnt: kref
    capabilities: u32
    min_ratio: u32
    max_ratio: u32
    max_prop_frac: u32
    tot_write_bandwidth: atomic_long_t
    last_bdp_sleep: u64
    wb: bdi_writeback
    wb_list: list_head
    cgwb_tree: xarray
    cgwb_release_mutex: mutex
    wb_switch_rwsem: rw_semaphore
    wb_waitq: wait_queue_head
    dev: device
    dev_name: array[char, Literal[64]]
    owner: device
    laptop_mode_wb_timer: timer_list
    debug_dir: dentry
class badblocks(KernelStruct):
    dev: device
    count: i32
    unacked_exist: i32
    shift: i32
    page: ptr[u64]
    changed: i32
    lock: seqlock_t
    sector: u64
    size: u64
class balance_callback(KernelStruct):
    next: balance_callback
    func: Any
class bdi_writeback(KernelStruct):
    bdi: backing_dev_info
    state: u64
    last_old_flush: u64
    b_dirty: list_head
    b_io: list_head
    b_more_io: list_head
    b_dirty_time: list_head
    list_lock: spinlock
    writeback_inodes: atomic_t
    stat: array[percpu_counter, Literal[4]]
    bw_time_stamp: u64
    dirtied_stamp: u64
    written_stamp: u64
    write_bandwidth: u64
    avg_write_bandwidth: u64
    dirty_ratelimit: u64
    balanced_dirty_ratelimit: u64
    completions: fprop_local_percpu
    dirty_exceeded: i32
    start_all_reason: u32
    work_lock: spinlock
    work_list: list_head
    dwork: delayed_work
    bw_dwork: delayed_work
    bdi_node: list_head
    refcnt: percpu_ref
    memcg_completions: fprop_local_percpu
    memcg_css: cgroup_subsys_state
    blkcg_css: cgroup_subsys_state
    memcg_node: list_head
    blkcg_node: list_head
    b_attached: list_head
    offline_node: list_head
    switch_work: work_struct
    switch_wbs_ctxs: llist_head
    release_work: work_struct
    rcu: callback_head
class bin_attribute(KernelStruct):
    ...
class binfmt_misc(KernelStruct):
    ...
class bio(KernelStruct):
    bi_next: bio
    bi_bdev: block_device
    bi_opf: u32
    bi_flags: u16
    bi_ioprio: u16
    bi_write_hint: u8
    bi_write_stream: u8
    bi_status: u8
    __bi_remaining: atomic_t
    bi_iter: bvec_iter
    bi_cookie: u32
    __bi_nr_segments: u32
    bi_end_io: Any
    bi_private: Any
    bi_blkg: blkcg_gq
    issue_time_ns: u64
    bi_iocost_cost: u64
    bi_vcnt: u16
    bi_max_vecs: u16
    __bi_cnt: atomic_t
    bi_io_vec: bio_vec
    bi_pool: bio_set
class bio_alloc_cache(KernelStruct):
    ...
class bio_list(KernelStruct):
    head: bio
    tail: bio
class bio_set(KernelStruct):
    bio_slab: kmem_cache
    front_pad: u32
    cache: bio_alloc_cache
    bio_pool: mempool
    bvec_pool: mempool
    back_pad: u32
    rescue_lock: spinlock
    rescue_list: bio_list
    rescue_work: work_struct
    rescue_workqueue: workqueue_struct
    cpuhp_dead: hlist_node
class bio_vec(KernelStruct):
    bv_page: page
    bv_len: u32
    bv_offset: u32
blk_features_t: TypeAlias = u32
blk_flags_t: TypeAlias = u32
class blk_flush_queue(KernelStruct):
    mq_flush_lock: spinlock
    flush_pending_idx: u32
    flush_running_idx: u32
    rq_status: u8
    flush_pending_since: u64
    flush_queue: array[list_head, Literal[2]]
    flush_data_in_flight: u64
    flush_rq: request
    callback_head: _v.callback_head
class blk_holder_ops(KernelStruct):
    ...
class blk_independent_access_range(KernelStruct):
    kobj: kobject
    sector: u64
    nr_sectors: u64
class blk_independent_access_ranges(KernelStruct):
    kobj: kobject
    sysfs_registered: bool
    nr_ia_ranges: u32
    ia_range: array[blk_independent_access_range, Literal[0]]
class blk_integrity(KernelStruct):
    flags: u8
    csum_type: u8
    metadata_size: u8
    pi_offset: u8
    interval_exp: u8
    tag_size: u8
    pi_tuple_size: u8
class blk_integrity_checksum(IntEnum):
    BLK_INTEGRITY_CSUM_NONE = 0
    BLK_INTEGRITY_CSUM_IP = 1
    BLK_INTEGRITY_CSUM_CRC = 2
    BLK_INTEGRITY_CSUM_CRC64 = 3
blk_mode_t: TypeAlias = u32
class blk_mq_ctx(KernelStruct):
    lock: spinlock
    rq_lists: array[list_head, Literal[3]]
    cpu: u32
    index_hw: array[u16, Literal[3]]
    hctxs: array[blk_mq_hw_ctx, Literal[3]]
    queue: request_queue
    ctxs: blk_mq_ctxs
    kobj: kobject
class blk_mq_ctxs(KernelStruct):
    ...
class blk_mq_hw_ctx(KernelStruct):
    lock: spinlock
    dispatch: list_head
    state: u64
    run_work: delayed_work
    cpumask: array[_v.cpumask, Literal[1]]
    next_cpu: i32
    next_cpu_batch: i32
    flags: u64
    sched_data: Any
    queue: request_queue
    fq: blk_flush_queue
    driver_data: Any
    ctx_map: sbitmap
    dispatch_from: blk_mq_ctx
    dispatch_busy: u32
    type: u16
    nr_ctx: u16
    ctxs: Any
    dispatch_wait_lock: spinlock
    dispatch_wait: wait_queue_entry
    wait_index: atomic_t
    tags: blk_mq_tags
    sched_tags: blk_mq_tags
    numa_node: u32
    queue_num: u32
    nr_active: atomic_t
    cpuhp_online: hlist_node
    cpuhp_dead: hlist_node
    kobj: kobject
    debugfs_dir: dentry
    sched_debugfs_dir: dentry
    hctx_list: list_head
class blk_mq_ops(KernelStruct):
    ...
class blk_mq_queue_map(KernelStruct):
    mq_map: ptr[u32]
    nr_queues: u32
    queue_offset: u32
class blk_mq_tag_set(KernelStruct):
    ops: blk_mq_ops
    map: array[blk_mq_queue_map, Literal[3]]
    nr_maps: u32
    nr_hw_queues: u32
    queue_depth: u32
    reserved_tags: u32
    cmd_size: u32
    numa_node: i32
    timeout: u32
    flags: u32
    driver_data: Any
    tags: Any
    shared_tags: blk_mq_tags
    tag_list_lock: mutex
    tag_list: list_head
    srcu: srcu_struct
    tags_srcu: srcu_struct
    update_nr_hwq_lock: rw_semaphore
class blk_mq_tags(KernelStruct):
    nr_tags: u32
    nr_reserved_tags: u32
    active_queues: u32
    bitmap_tags: sbitmap_queue
    breserved_tags: sbitmap_queue
    rqs: Any
    static_rqs: Any
    page_list: list_head
    lock: spinlock
    callback_head: _v.callback_head
blk_opf_t: TypeAlias = u32
class blk_plug(KernelStruct):
    mq_list: rq_list
    cached_rqs: rq_list
    cur_ktime: u64
    nr_ios: u16
    rq_count: u16
    multiple_queues: bool
    has_elevator: bool
    cb_list: list_head
blk_qc_t: TypeAlias = u32
class blk_queue_stats(KernelStruct):
    callbacks: list_head
    lock: spinlock
    accounting: i32
blk_status_t: TypeAlias = u8
class blk_trace(KernelStruct):
    trace_state: i32
    rchan: _v.rchan
    sequence: ptr[u64]
    msg_data: ptr[u8]
    act_mask: u16
    start_lba: u64
    end_lba: u64
    pid: u32
    dev: u32
    dir: dentry
    running_list: list_head
    dropped: atomic_t
class blkcg(KernelStruct):
    ...
class blkcg_gq(KernelStruct):
    q: request_queue
    q_node: list_head
    blkcg_node: hlist_node
    blkcg: _v.blkcg
    parent: blkcg_gq
    refcnt: percpu_ref
    online: bool
    iostat_cpu: blkg_iostat_set
    iostat: blkg_iostat_set
    pd: array[blkg_policy_data, Literal[6]]
    async_bio_lock: spinlock
    async_bios: bio_list
    async_bio_work: work_struct
    free_work: work_struct
    use_delay: atomic_t
    delay_nsec: atomic64_t
    delay_start: atomic64_t
    last_delay: u64
    last_use: i32
    callback_head: _v.callback_head
blkcnt_t: TypeAlias = u64
class blkg_iostat(KernelStruct):
    bytes: array[u64, Literal[3]]
    ios: array[u64, Literal[3]]
class blkg_iostat_set(KernelStruct):
    sync: u64_stats_sync
    blkg: blkcg_gq
    lnode: llist_node
    lqueued: i32
    cur: blkg_iostat
    last: blkg_iostat
class blkg_policy_data(KernelStruct):
    ...
class block_device(KernelStruct):
    bd_start_sect: u64
    bd_nr_sectors: u64
    bd_disk: gendisk
    bd_queue: request_queue
    bd_stats: disk_stats
    bd_stamp: u64
    __bd_flags: atomic_t
    bd_dev: u32
    bd_mapping: address_space
    bd_openers: atomic_t
    bd_size_lock: spinlock
    bd_claiming: Any
    bd_holder: Any
    bd_holder_ops: blk_holder_ops
    bd_holder_lock: mutex
    bd_holders: i32
    bd_holder_dir: kobject
    bd_fsfreeze_count: atomic_t
    bd_fsfreeze_mutex: mutex
    bd_meta_info: partition_meta_info
    bd_writers: i32
    bd_security: Any
    bd_device: device
class block_device_operations(KernelStruct):
    ...
class blocking_notifier_head(KernelStruct):
    rwsem: rw_semaphore
    head: notifier_block
class bpf_access_src(IntEnum):
    ACCESS_DIRECT = 1
    ACCESS_HELPER = 2
class bpf_access_type(IntEnum):
    BPF_READ = 1
    BPF_WRITE = 2
class bpf_addr_space_cast(IntEnum):
    BPF_ADDR_SPACE_CAST = 1
class bpf_adj_room_mode(IntEnum):
    BPF_ADJ_ROOM_NET = 0
    BPF_ADJ_ROOM_MAC = 1
class bpf_arena(KernelStruct):
    map: bpf_map
    user_vm_start: u64
    user_vm_end: u64
    kern_vm: vm_struct
    rt: range_tree
    vma_list: list_head
    lock: mutex
class bpf_arg_type(IntEnum):
    ARG_DONTCARE = 0
    ARG_CONST_MAP_PTR = 1
    ARG_PTR_TO_MAP_KEY = 2
    ARG_PTR_TO_MAP_VALUE = 3
    ARG_PTR_TO_MEM = 4
    ARG_PTR_TO_ARENA = 5
    ARG_CONST_SIZE = 6
    ARG_CONST_SIZE_OR_ZERO = 7
    ARG_PTR_TO_CTX = 8
    ARG_ANYTHING = 9
    ARG_PTR_TO_SPIN_LOCK = 10
    ARG_PTR_TO_SOCK_COMMON = 11
    ARG_PTR_TO_SOCKET = 12
    ARG_PTR_TO_BTF_ID = 13
    ARG_PTR_TO_RINGBUF_MEM = 14
    ARG_CONST_ALLOC_SIZE_OR_ZERO = 15
    ARG_PTR_TO_BTF_ID_SOCK_COMMON = 16
    ARG_PTR_TO_PERCPU_BTF_ID = 17
    ARG_PTR_TO_FUNC = 18
    ARG_PTR_TO_STACK = 19
    ARG_PTR_TO_CONST_STR = 20
    ARG_PTR_TO_TIMER = 21
    ARG_KPTR_XCHG_DEST = 22
    ARG_PTR_TO_DYNPTR = 23
    __BPF_ARG_TYPE_MAX = 24
    ARG_PTR_TO_MAP_VALUE_OR_NULL = 259
    ARG_PTR_TO_MEM_OR_NULL = 260
    ARG_PTR_TO_CTX_OR_NULL = 264
    ARG_PTR_TO_SOCKET_OR_NULL = 268
    ARG_PTR_TO_STACK_OR_NULL = 275
    ARG_PTR_TO_BTF_ID_OR_NULL = 269
    ARG_PTR_TO_UNINIT_MEM = 67141636
    ARG_PTR_TO_FIXED_SIZE_MEM = 262148
    __BPF_ARG_TYPE_LIMIT = 268435455
class bpf_array(KernelStruct):
    map: bpf_map
    elem_size: u32
    index_mask: u32
    aux: bpf_array_aux
    class __empty_value_t(KernelStruct):
        ...
    __empty_value: __empty_value_t
    value: array[char, Literal[0]]
    class __empty_ptrs_t(KernelStruct):
        ...
    __empty_ptrs: __empty_ptrs_t
    ptrs: array[Any, Literal[0]]
    class __empty_pptrs_t(KernelStruct):
        ...
    __empty_pptrs: __empty_pptrs_t
    pptrs: array[Any, Literal[0]]
class bpf_array_aux(KernelStruct):
    poke_progs: list_head
    map: bpf_map
    poke_mutex: mutex
    work: work_struct
class bpf_async_cb(KernelStruct):
    map: bpf_map
    prog: bpf_prog
    callback_fn: Any
    value: Any
    rcu: callback_head
    delete_work: work_struct
    flags: u64
class bpf_async_kern(KernelStruct):
    cb: bpf_async_cb
    timer: bpf_hrtimer
    work: bpf_work
    lock: bpf_spin_lock
class bpf_async_type(IntEnum):
    BPF_ASYNC_TYPE_TIMER = 0
    BPF_ASYNC_TYPE_WQ = 1
class bpf_attach_target_info(KernelStruct):
    fmodel: btf_func_model
    tgt_addr: i64
    tgt_mod: module
    tgt_name: ptr[u8]
    tgt_type: btf_type
class bpf_attach_type(IntEnum):
    BPF_CGROUP_INET_INGRESS = 0
    BPF_CGROUP_INET_EGRESS = 1
    BPF_CGROUP_INET_SOCK_CREATE = 2
    BPF_CGROUP_SOCK_OPS = 3
    BPF_SK_SKB_STREAM_PARSER = 4
    BPF_SK_SKB_STREAM_VERDICT = 5
    BPF_CGROUP_DEVICE = 6
    BPF_SK_MSG_VERDICT = 7
    BPF_CGROUP_INET4_BIND = 8
    BPF_CGROUP_INET6_BIND = 9
    BPF_CGROUP_INET4_CONNECT = 10
    BPF_CGROUP_INET6_CONNECT = 11
    BPF_CGROUP_INET4_POST_BIND = 12
    BPF_CGROUP_INET6_POST_BIND = 13
    BPF_CGROUP_UDP4_SENDMSG = 14
    BPF_CGROUP_UDP6_SENDMSG = 15
    BPF_LIRC_MODE2 = 16
    BPF_FLOW_DISSECTOR = 17
    BPF_CGROUP_SYSCTL = 18
    BPF_CGROUP_UDP4_RECVMSG = 19
    BPF_CGROUP_UDP6_RECVMSG = 20
    BPF_CGROUP_GETSOCKOPT = 21
    BPF_CGROUP_SETSOCKOPT = 22
    BPF_TRACE_RAW_TP = 23
    BPF_TRACE_FENTRY = 24
    BPF_TRACE_FEXIT = 25
    BPF_MODIFY_RETURN = 26
    BPF_LSM_MAC = 27
    BPF_TRACE_ITER = 28
    BPF_CGROUP_INET4_GETPEERNAME = 29
    BPF_CGROUP_INET6_GETPEERNAME = 30
    BPF_CGROUP_INET4_GETSOCKNAME = 31
    BPF_CGROUP_INET6_GETSOCKNAME = 32
    BPF_XDP_DEVMAP = 33
    BPF_CGROUP_INET_SOCK_RELEASE = 34
    BPF_XDP_CPUMAP = 35
    BPF_SK_LOOKUP = 36
    BPF_XDP = 37
    BPF_SK_SKB_VERDICT = 38
    BPF_SK_REUSEPORT_SELECT = 39
    BPF_SK_REUSEPORT_SELECT_OR_MIGRATE = 40
    BPF_PERF_EVENT = 41
    BPF_TRACE_KPROBE_MULTI = 42
    BPF_LSM_CGROUP = 43
    BPF_STRUCT_OPS = 44
    BPF_NETFILTER = 45
    BPF_TCX_INGRESS = 46
    BPF_TCX_EGRESS = 47
    BPF_TRACE_UPROBE_MULTI = 48
    BPF_CGROUP_UNIX_CONNECT = 49
    BPF_CGROUP_UNIX_SENDMSG = 50
    BPF_CGROUP_UNIX_RECVMSG = 51
    BPF_CGROUP_UNIX_GETPEERNAME = 52
    BPF_CGROUP_UNIX_GETSOCKNAME = 53
    BPF_NETKIT_PRIMARY = 54
    BPF_NETKIT_PEER = 55
    BPF_TRACE_KPROBE_SESSION = 56
    BPF_TRACE_UPROBE_SESSION = 57
    __MAX_BPF_ATTACH_TYPE = 58
class bpf_attr(KernelStruct):
    map_type: u32
    key_size: u32
    value_size: u32
    max_entries: u32
    map_flags: u32
    inner_map_fd: u32
    numa_node: u32
    map_name: array[char, Literal[16]]
    map_ifindex: u32
    btf_fd: u32
    btf_key_type_id: u32
    btf_value_type_id: u32
    btf_vmlinux_value_type_id: u32
    map_extra: u64
    value_type_btf_obj_fd: i32
    map_token_fd: i32
    excl_prog_hash: u64
    excl_prog_hash_size: u32
    map_fd: u32
    key: u64
    value: u64
    next_key: u64
    flags: u64
    class batch_t(KernelStruct):
        in_batch: u64
        out_batch: u64
        keys: u64
        values: u64
        count: u32
        map_fd: u32
        elem_flags: u64
        flags: u64
    batch: batch_t
    prog_type: u32
    insn_cnt: u32
    insns: u64
    license: u64
    log_level: u32
    log_size: u32
    log_buf: u64
    kern_version: u32
    prog_flags: u32
    prog_name: array[char, Literal[16]]
    prog_ifindex: u32
    expected_attach_type: u32
    prog_btf_fd: u32
    func_info_rec_size: u32
    func_info: u64
    func_info_cnt: u32
    line_info_rec_size: u32
    line_info: u64
    line_info_cnt: u32
    attach_btf_id: u32
    attach_prog_fd: u32
    attach_btf_obj_fd: u32
    core_relo_cnt: u32
    fd_array: u64
    core_relos: u64
    core_relo_rec_size: u32
    log_true_size: u32
    prog_token_fd: i32
    fd_array_cnt: u32
    signature: u64
    signature_size: u32
    keyring_id: i32
    pathname: u64
    bpf_fd: u32
    file_flags: u32
    path_fd: i32
    target_fd: u32
    target_ifindex: u32
    attach_bpf_fd: u32
    attach_type: u32
    attach_flags: u32
    replace_bpf_fd: u32
    relative_fd: u32
    relative_id: u32
    expected_revision: u64
    class test_t(KernelStruct):
        prog_fd: u32
        retval: u32
        data_size_in: u32
        data_size_out: u32
        data_in: u64
        data_out: u64
        repeat: u32
        duration: u32
        ctx_size_in: u32
        ctx_size_out: u32
        ctx_in: u64
        ctx_out: u64
        flags: u32
        cpu: u32
        batch_size: u32
    test: test_t
    start_id: u32
    prog_id: u32
    map_id: u32
    btf_id: u32
    link_id: u32
    next_id: u32
    open_flags: u32
    fd_by_id_token_fd: i32
    class info_t(KernelStruct):
        bpf_fd: u32
        info_len: u32
        info: u64
    info: info_t
    class query_t(KernelStruct):
        target_fd: u32
        target_ifindex: u32
        attach_type: u32
        query_flags: u32
        attach_flags: u32
        prog_ids: u64
        prog_cnt: u32
        count: u32
        prog_attach_flags: u64
        link_ids: u64
        link_attach_flags: u64
        revision: u64
    query: query_t
    class raw_tracepoint_t(KernelStruct):
        name: u64
        prog_fd: u32
        cookie: u64
    raw_tracepoint: raw_tracepoint_t
    btf: u64
    btf_log_buf: u64
    btf_size: u32
    btf_log_size: u32
    btf_log_level: u32
    btf_log_true_size: u32
    btf_flags: u32
    btf_token_fd: i32
    class task_fd_query_t(KernelStruct):
        pid: u32
        fd: u32
        flags: u32
        buf_len: u32
        buf: u64
        prog_id: u32
        fd_type: u32
        probe_offset: u64
        probe_addr: u64
    task_fd_query: task_fd_query_t
    class link_create_t(KernelStruct):
        prog_fd: u32
        map_fd: u32
        target_fd: u32
        target_ifindex: u32
        attach_type: u32
        flags: u32
        target_btf_id: u32
        iter_info: u64
        iter_info_len: u32
        class perf_event_t(KernelStruct):
            bpf_cookie: u64
        perf_event: perf_event_t
        class kprobe_multi_t(KernelStruct):
            flags: u32
            cnt: u32
            syms: u64
            addrs: u64
            cookies: u64
        kprobe_multi: kprobe_multi_t
        class tracing_t(KernelStruct):
            target_btf_id: u32
            cookie: u64
        tracing: tracing_t
        class netfilter_t(KernelStruct):
            pf: u32
            hooknum: u32
            priority: i32
            flags: u32
        netfilter: netfilter_t
        class tcx_t(KernelStruct):
            relative_fd: u32
            relative_id: u32
            expected_revision: u64
        tcx: tcx_t
        class uprobe_multi_t(KernelStruct):
            path: u64
            offsets: u64
            ref_ctr_offsets: u64
            cookies: u64
            cnt: u32
            flags: u32
            pid: u32
        uprobe_multi: uprobe_multi_t
        class netkit_t(KernelStruct):
            relative_fd: u32
            relative_id: u32
            expected_revision: u64
        netkit: netkit_t
        class cgroup_t(KernelStruct):
            relative_fd: u32
            relative_id: u32
            expected_revision: u64
        cgroup: cgroup_t
    link_create: link_create_t
    class link_update_t(KernelStruct):
        link_fd: u32
        new_prog_fd: u32
        new_map_fd: u32
        flags: u32
        old_prog_fd: u32
        old_map_fd: u32
    link_update: link_update_t
    class link_detach_t(KernelStruct):
        link_fd: u32
    link_detach: link_detach_t
    class enable_stats_t(KernelStruct):
        type: u32
    enable_stats: enable_stats_t
    class iter_create_t(KernelStruct):
        link_fd: u32
        flags: u32
    iter_create: iter_create_t
    class prog_bind_map_t(KernelStruct):
        prog_fd: u32
        map_fd: u32
        flags: u32
    prog_bind_map: prog_bind_map_t
    class token_create_t(KernelStruct):
        flags: u32
        bpffs_fd: u32
    token_create: token_create_t
    class prog_stream_read_t(KernelStruct):
        stream_buf: u64
        stream_buf_len: u32
        stream_id: u32
        prog_fd: u32
    prog_stream_read: prog_stream_read_t
class bpf_audit(IntEnum):
    BPF_AUDIT_LOAD = 0
    BPF_AUDIT_UNLOAD = 1
    BPF_AUDIT_MAX = 2
class bpf_binary_header(KernelStruct):
    size: u32
    image: array[u8, Literal[0]]
class bpf_bloom_filter(KernelStruct):
    map: bpf_map
    bitset_mask: u32
    hash_seed: u32
    nr_hash_funcs: u32
    bitset: array[u64, Literal[0]]
class bpf_btf_info(KernelStruct):
    btf: u64
    btf_size: u32
    id: u32
    name: u64
    name_len: u32
    kernel_btf: u32
class bpf_call_arg_meta(KernelStruct):
    map: bpf_map_desc
    raw_mode: bool
    pkt_access: bool
    release_regno: u8
    regno: i32
    access_size: i32
    mem_size: i32
    msize_max_value: u64
    ref_obj_id: i32
    dynptr_id: i32
    func_id: i32
    btf: _v.btf
    btf_id: u32
    ret_btf: _v.btf
    ret_btf_id: u32
    subprogno: u32
    kptr_field: btf_field
    const_map_key: i64
class bpf_cand_cache(KernelStruct):
    name: ptr[u8]
    name_len: u32
    kind: u16
    cnt: u16
    cands: array[Any, Literal[0]]
class bpf_cg_run_ctx(KernelStruct):
    run_ctx: bpf_run_ctx
    prog_item: bpf_prog_array_item
    retval: i32
class bpf_cgroup_dev_ctx(KernelStruct):
    access_type: u32
    major: u32
    minor: u32
class bpf_cgroup_iter_order(IntEnum):
    BPF_CGROUP_ITER_ORDER_UNSPEC = 0
    BPF_CGROUP_ITER_SELF_ONLY = 1
    BPF_CGROUP_ITER_DESCENDANTS_PRE = 2
    BPF_CGROUP_ITER_DESCENDANTS_POST = 3
    BPF_CGROUP_ITER_ANCESTORS_UP = 4
class bpf_cgroup_link(KernelStruct):
    link: bpf_link
    cgroup: _v.cgroup
class bpf_cgroup_storage(KernelStruct):
    buf: bpf_storage_buffer
    percpu_buf: Any
    map: bpf_cgroup_storage_map
    key: bpf_cgroup_storage_key
    list_map: list_head
    list_cg: list_head
    node: rb_node
    rcu: callback_head
class bpf_cgroup_storage_key(KernelStruct):
    cgroup_inode_id: u64
    attach_type: u32
class bpf_cgroup_storage_map(KernelStruct):
    map: bpf_map
    lock: spinlock
    root: rb_root
    list: list_head
class bpf_cgroup_storage_type(IntEnum):
    BPF_CGROUP_STORAGE_SHARED = 0
    BPF_CGROUP_STORAGE_PERCPU = 1
    __BPF_CGROUP_STORAGE_MAX = 2
class bpf_check_mtu_flags(IntEnum):
    BPF_MTU_CHK_SEGS = 1
class bpf_check_mtu_ret(IntEnum):
    BPF_MTU_CHK_RET_SUCCESS = 0
    BPF_MTU_CHK_RET_FRAG_NEEDED = 1
    BPF_MTU_CHK_RET_SEGS_TOOBIG = 2
class bpf_cmd(IntEnum):
    BPF_MAP_CREATE = 0
    BPF_MAP_LOOKUP_ELEM = 1
    BPF_MAP_UPDATE_ELEM = 2
    BPF_MAP_DELETE_ELEM = 3
    BPF_MAP_GET_NEXT_KEY = 4
    BPF_PROG_LOAD = 5
    BPF_OBJ_PIN = 6
    BPF_OBJ_GET = 7
    BPF_PROG_ATTACH = 8
    BPF_PROG_DETACH = 9
    BPF_PROG_TEST_RUN = 10
    BPF_PROG_RUN = 10
    BPF_PROG_GET_NEXT_ID = 11
    BPF_MAP_GET_NEXT_ID = 12
    BPF_PROG_GET_FD_BY_ID = 13
    BPF_MAP_GET_FD_BY_ID = 14
    BPF_OBJ_GET_INFO_BY_FD = 15
    BPF_PROG_QUERY = 16
    BPF_RAW_TRACEPOINT_OPEN = 17
    BPF_BTF_LOAD = 18
    BPF_BTF_GET_FD_BY_ID = 19
    BPF_TASK_FD_QUERY = 20
    BPF_MAP_LOOKUP_AND_DELETE_ELEM = 21
    BPF_MAP_FREEZE = 22
    BPF_BTF_GET_NEXT_ID = 23
    BPF_MAP_LOOKUP_BATCH = 24
    BPF_MAP_LOOKUP_AND_DELETE_BATCH = 25
    BPF_MAP_UPDATE_BATCH = 26
    BPF_MAP_DELETE_BATCH = 27
    BPF_LINK_CREATE = 28
    BPF_LINK_UPDATE = 29
    BPF_LINK_GET_FD_BY_ID = 30
    BPF_LINK_GET_NEXT_ID = 31
    BPF_ENABLE_STATS = 32
    BPF_ITER_CREATE = 33
    BPF_LINK_DETACH = 34
    BPF_PROG_BIND_MAP = 35
    BPF_TOKEN_CREATE = 36
    BPF_PROG_STREAM_READ_BY_FD = 37
    __MAX_BPF_CMD = 38
class bpf_common_lru(KernelStruct):
    lru_list: bpf_lru_list
    local_list: bpf_lru_locallist
class bpf_cond_pseudo_jmp(IntEnum):
    BPF_MAY_GOTO = 0
class bpf_core_accessor(KernelStruct):
    type_id: u32
    idx: u32
    name: ptr[u8]
class bpf_core_cand(KernelStruct):
    btf: _v.btf
    id: u32
class bpf_core_cand_list(KernelStruct):
    cands: bpf_core_cand
    len: i32
class bpf_core_ctx(KernelStruct):
    log: bpf_verifier_log
    btf: _v.btf
class bpf_core_relo(KernelStruct):
    insn_off: u32
    type_id: u32
    access_str_off: u32
    kind: u32
class bpf_core_relo_kind(IntEnum):
    BPF_CORE_FIELD_BYTE_OFFSET = 0
    BPF_CORE_FIELD_BYTE_SIZE = 1
    BPF_CORE_FIELD_EXISTS = 2
    BPF_CORE_FIELD_SIGNED = 3
    BPF_CORE_FIELD_LSHIFT_U64 = 4
    BPF_CORE_FIELD_RSHIFT_U64 = 5
    BPF_CORE_TYPE_ID_LOCAL = 6
    BPF_CORE_TYPE_ID_TARGET = 7
    BPF_CORE_TYPE_EXISTS = 8
    BPF_CORE_TYPE_SIZE = 9
    BPF_CORE_ENUMVAL_EXISTS = 10
    BPF_CORE_ENUMVAL_VALUE = 11
    BPF_CORE_TYPE_MATCHES = 12
class bpf_core_relo_res(KernelStruct):
    orig_val: u64
    new_val: u64
    poison: bool
    validate: bool
    fail_memsz_adjust: bool
    orig_sz: u32
    orig_type_id: u32
    new_sz: u32
    new_type_id: u32
class bpf_core_spec(KernelStruct):
    btf: _v.btf
    spec: array[bpf_core_accessor, Literal[64]]
    root_type_id: u32
    relo_kind: u32
    len: i32
    raw_spec: array[i32, Literal[64]]
    raw_len: i32
    bit_offset: u32
class bpf_cpu_map(KernelStruct):
    map: bpf_map
    cpu_map: Any
class bpf_cpu_map_entry(KernelStruct):
    cpu: u32
    map_id: i32
    bulkq: xdp_bulk_queue
    queue: ptr_ring
    kthread: task_struct
    value: bpf_cpumap_val
    prog: bpf_prog
    gro: gro_node
    kthread_running: completion
    free_work: rcu_work
class bpf_cpumap_val(KernelStruct):
    qsize: u32
    class bpf_prog_t(KernelStruct):
        fd: i32
        id: u32
    bpf_prog: bpf_prog_t
class bpf_cpumask(KernelStruct):
    cpumask: _v.cpumask
    usage: refcount_struct
class bpf_crypto_ctx(KernelStruct):
    type: bpf_crypto_type
    tfm: Any
    siv_len: u32
    rcu: callback_head
    usage: refcount_struct
class bpf_crypto_params(KernelStruct):
    type: array[char, Literal[14]]
    reserved: array[u8, Literal[2]]
    algo: array[char, Literal[128]]
    key: array[u8, Literal[256]]
    key_len: u32
    authsize: u32
class bpf_crypto_type(KernelStruct):
    ...
class bpf_crypto_type_list(KernelStruct):
    type: bpf_crypto_type
    list: list_head
class bpf_ct_opts(KernelStruct):
    netns_id: i32
    error: i32
    l4proto: u8
    dir: u8
    ct_zone_id: u16
    ct_zone_dir: u8
    reserved: array[u8, Literal[3]]
class bpf_ctx_arg_aux(KernelStruct):
    offset: u32
    reg_type: u32
    btf: _v.btf
    btf_id: u32
    ref_obj_id: u32
    refcounted: bool
class bpf_ctx_convert(KernelStruct):
    BPF_PROG_TYPE_SOCKET_FILTER_prog: __sk_buff
    BPF_PROG_TYPE_SOCKET_FILTER_kern: sk_buff
    BPF_PROG_TYPE_SCHED_CLS_prog: __sk_buff
    BPF_PROG_TYPE_SCHED_CLS_kern: sk_buff
    BPF_PROG_TYPE_SCHED_ACT_prog: __sk_buff
    BPF_PROG_TYPE_SCHED_ACT_kern: sk_buff
    BPF_PROG_TYPE_XDP_prog: xdp_md
    BPF_PROG_TYPE_XDP_kern: xdp_buff
    BPF_PROG_TYPE_CGROUP_SKB_prog: __sk_buff
    BPF_PROG_TYPE_CGROUP_SKB_kern: sk_buff
    BPF_PROG_TYPE_CGROUP_SOCK_prog: bpf_sock
    BPF_PROG_TYPE_CGROUP_SOCK_kern: sock
    BPF_PROG_TYPE_CGROUP_SOCK_ADDR_prog: bpf_sock_addr
    BPF_PROG_TYPE_CGROUP_SOCK_ADDR_kern: bpf_sock_addr_kern
    BPF_PROG_TYPE_LWT_IN_prog: __sk_buff
    BPF_PROG_TYPE_LWT_IN_kern: sk_buff
    BPF_PROG_TYPE_LWT_OUT_prog: __sk_buff
    BPF_PROG_TYPE_LWT_OUT_kern: sk_buff
    BPF_PROG_TYPE_LWT_XMIT_prog: __sk_buff
    BPF_PROG_TYPE_LWT_XMIT_kern: sk_buff
    BPF_PROG_TYPE_LWT_SEG6LOCAL_prog: __sk_buff
    BPF_PROG_TYPE_LWT_SEG6LOCAL_kern: sk_buff
    BPF_PROG_TYPE_SOCK_OPS_prog: bpf_sock_ops
    BPF_PROG_TYPE_SOCK_OPS_kern: bpf_sock_ops_kern
    BPF_PROG_TYPE_SK_SKB_prog: __sk_buff
    BPF_PROG_TYPE_SK_SKB_kern: sk_buff
    BPF_PROG_TYPE_SK_MSG_prog: sk_msg_md
    BPF_PROG_TYPE_SK_MSG_kern: sk_msg
    BPF_PROG_TYPE_FLOW_DISSECTOR_prog: __sk_buff
    BPF_PROG_TYPE_FLOW_DISSECTOR_kern: bpf_flow_dissector
    BPF_PROG_TYPE_KPROBE_prog: pt_regs
    BPF_PROG_TYPE_KPROBE_kern: pt_regs
    BPF_PROG_TYPE_TRACEPOINT_prog: u64
    BPF_PROG_TYPE_TRACEPOINT_kern: u64
    BPF_PROG_TYPE_PERF_EVENT_prog: bpf_perf_event_data
    BPF_PROG_TYPE_PERF_EVENT_kern: bpf_perf_event_data_kern
    BPF_PROG_TYPE_RAW_TRACEPOINT_prog: bpf_raw_tracepoint_args
    BPF_PROG_TYPE_RAW_TRACEPOINT_kern: u64
    BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE_prog: bpf_raw_tracepoint_args
    BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE_kern: u64
    BPF_PROG_TYPE_TRACING_prog: Any
    BPF_PROG_TYPE_TRACING_kern: Any
    BPF_PROG_TYPE_CGROUP_DEVICE_prog: bpf_cgroup_dev_ctx
    BPF_PROG_TYPE_CGROUP_DEVICE_kern: bpf_cgroup_dev_ctx
    BPF_PROG_TYPE_CGROUP_SYSCTL_prog: bpf_sysctl
    BPF_PROG_TYPE_CGROUP_SYSCTL_kern: bpf_sysctl_kern
    BPF_PROG_TYPE_CGROUP_SOCKOPT_prog: bpf_sockopt
    BPF_PROG_TYPE_CGROUP_SOCKOPT_kern: bpf_sockopt_kern
    BPF_PROG_TYPE_SK_REUSEPORT_prog: sk_reuseport_md
    BPF_PROG_TYPE_SK_REUSEPORT_kern: sk_reuseport_kern
    BPF_PROG_TYPE_SK_LOOKUP_prog: bpf_sk_lookup
    BPF_PROG_TYPE_SK_LOOKUP_kern: bpf_sk_lookup_kern
    BPF_PROG_TYPE_STRUCT_OPS_prog: Any
    BPF_PROG_TYPE_STRUCT_OPS_kern: Any
    BPF_PROG_TYPE_EXT_prog: Any
    BPF_PROG_TYPE_EXT_kern: Any
    BPF_PROG_TYPE_LSM_prog: Any
    BPF_PROG_TYPE_LSM_kern: Any
    BPF_PROG_TYPE_SYSCALL_prog: Any
    BPF_PROG_TYPE_SYSCALL_kern: Any
    BPF_PROG_TYPE_NETFILTER_prog: bpf_nf_ctx
    BPF_PROG_TYPE_NETFILTER_kern: bpf_nf_ctx
class bpf_devmap_val(KernelStruct):
    ifindex: u32
    class bpf_prog_t(KernelStruct):
        fd: i32
        id: u32
    bpf_prog: bpf_prog_t
class bpf_dispatcher(KernelStruct):
    mutex: _v.mutex
    func: Any
    progs: array[bpf_dispatcher_prog, Literal[48]]
    num_progs: i32
    image: Any
    rw_image: Any
    image_off: u32
    ksym: bpf_ksym
    sc_key: static_call_key
    sc_tramp: Any
class bpf_dispatcher_prog(KernelStruct):
    prog: bpf_prog
    users: refcount_struct
class bpf_dtab(KernelStruct):
    map: bpf_map
    netdev_map: Any
    list: list_head
    dev_index_head: hlist_head
    index_lock: spinlock
    items: u32
    n_buckets: u32
class bpf_dtab_netdev(KernelStruct):
    dev: net_device
    index_hlist: hlist_node
    xdp_prog: bpf_prog
    rcu: callback_head
    idx: u32
    val: bpf_devmap_val
class bpf_dummy_ops_state(KernelStruct):
    val: i32
class bpf_dummy_ops_test_args(KernelStruct):
    args: array[u64, Literal[12]]
    state: bpf_dummy_ops_state
class bpf_dynptr(KernelStruct):
    __opaque: array[u64, Literal[2]]
class bpf_dynptr_kern(KernelStruct):
    data: Any
    size: u32
    offset: u32
class bpf_dynptr_type(IntEnum):
    BPF_DYNPTR_TYPE_INVALID = 0
    BPF_DYNPTR_TYPE_LOCAL = 1
    BPF_DYNPTR_TYPE_RINGBUF = 2
    BPF_DYNPTR_TYPE_SKB = 3
    BPF_DYNPTR_TYPE_XDP = 4
    BPF_DYNPTR_TYPE_SKB_META = 5
class bpf_empty_prog_array(KernelStruct):
    hdr: bpf_prog_array
    null_prog: bpf_prog
class bpf_event_entry(KernelStruct):
    event: perf_event
    perf_file: file
    map_file: file
    rcu: callback_head
class bpf_features(IntEnum):
    BPF_FEAT_RDONLY_CAST_TO_VOID = 0
    BPF_FEAT_STREAMS = 1
    __MAX_BPF_FEAT = 2
class bpf_fentry_test_t(KernelStruct):
    a: bpf_fentry_test_t
class bpf_fib_lookup(KernelStruct):
    family: u8
    l4_protocol: u8
    sport: u16
    dport: u16
    tot_len: u16
    mtu_result: u16
    ifindex: u32
    tos: u8
    flowinfo: u32
    rt_metric: u32
    ipv4_src: u32
    ipv6_src: array[u32, Literal[4]]
    ipv4_dst: u32
    ipv6_dst: array[u32, Literal[4]]
    h_vlan_proto: u16
    h_vlan_TCI: u16
    tbid: u32
    mark: u32
    smac: array[u8, Literal[6]]
    dmac: array[u8, Literal[6]]
class bpf_flow_dissector(KernelStruct):
    flow_keys: bpf_flow_keys
    skb: sk_buff
    data: Any
    data_end: Any
class bpf_flow_keys(KernelStruct):
    nhoff: u16
    thoff: u16
    addr_proto: u16
    is_frag: u8
    is_first_frag: u8
    is_encap: u8
    ip_proto: u8
    n_proto: u16
    sport: u16
    dport: u16
    ipv4_src: u32
    ipv4_dst: u32
    ipv6_src: array[u32, Literal[4]]
    ipv6_dst: array[u32, Literal[4]]
    flags: u32
    flow_label: u32
class bpf_func_id(IntEnum):
    BPF_FUNC_unspec = 0
    BPF_FUNC_map_lookup_elem = 1
    BPF_FUNC_map_update_elem = 2
    BPF_FUNC_map_delete_elem = 3
    BPF_FUNC_probe_read = 4
    BPF_FUNC_ktime_get_ns = 5
    BPF_FUNC_trace_printk = 6
    BPF_FUNC_get_prandom_u32 = 7
    BPF_FUNC_get_smp_processor_id = 8
    BPF_FUNC_skb_store_bytes = 9
    BPF_FUNC_l3_csum_replace = 10
    BPF_FUNC_l4_csum_replace = 11
    BPF_FUNC_tail_call = 12
    BPF_FUNC_clone_redirect = 13
    BPF_FUNC_get_current_pid_tgid = 14
    BPF_FUNC_get_current_uid_gid = 15
    BPF_FUNC_get_current_comm = 16
    BPF_FUNC_get_cgroup_classid = 17
    BPF_FUNC_skb_vlan_push = 18
    BPF_FUNC_skb_vlan_pop = 19
    BPF_FUNC_skb_get_tunnel_key = 20
    BPF_FUNC_skb_set_tunnel_key = 21
    BPF_FUNC_perf_event_read = 22
    BPF_FUNC_redirect = 23
    BPF_FUNC_get_route_realm = 24
    BPF_FUNC_perf_event_output = 25
    BPF_FUNC_skb_load_bytes = 26
    BPF_FUNC_get_stackid = 27
    BPF_FUNC_csum_diff = 28
    BPF_FUNC_skb_get_tunnel_opt = 29
    BPF_FUNC_skb_set_tunnel_opt = 30
    BPF_FUNC_skb_change_proto = 31
    BPF_FUNC_skb_change_type = 32
    BPF_FUNC_skb_under_cgroup = 33
    BPF_FUNC_get_hash_recalc = 34
    BPF_FUNC_get_current_task = 35
    BPF_FUNC_probe_write_user = 36
    BPF_FUNC_current_task_under_cgroup = 37
    BPF_FUNC_skb_change_tail = 38
    BPF_FUNC_skb_pull_data = 39
    BPF_FUNC_csum_update = 40
    BPF_FUNC_set_hash_invalid = 41
    BPF_FUNC_get_numa_node_id = 42
    BPF_FUNC_skb_change_head = 43
    BPF_FUNC_xdp_adjust_head = 44
    BPF_FUNC_probe_read_str = 45
    BPF_FUNC_get_socket_cookie = 46
    BPF_FUNC_get_socket_uid = 47
    BPF_FUNC_set_hash = 48
    BPF_FUNC_setsockopt = 49
    BPF_FUNC_skb_adjust_room = 50
    BPF_FUNC_redirect_map = 51
    BPF_FUNC_sk_redirect_map = 52
    BPF_FUNC_sock_map_update = 53
    BPF_FUNC_xdp_adjust_meta = 54
    BPF_FUNC_perf_event_read_value = 55
    BPF_FUNC_perf_prog_read_value = 56
    BPF_FUNC_getsockopt = 57
    BPF_FUNC_override_return = 58
    BPF_FUNC_sock_ops_cb_flags_set = 59
    BPF_FUNC_msg_redirect_map = 60
    BPF_FUNC_msg_apply_bytes = 61
    BPF_FUNC_msg_cork_bytes = 62
    BPF_FUNC_msg_pull_data = 63
    BPF_FUNC_bind = 64
    BPF_FUNC_xdp_adjust_tail = 65
    BPF_FUNC_skb_get_xfrm_state = 66
    BPF_FUNC_get_stack = 67
    BPF_FUNC_skb_load_bytes_relative = 68
    BPF_FUNC_fib_lookup = 69
    BPF_FUNC_sock_hash_update = 70
    BPF_FUNC_msg_redirect_hash = 71
    BPF_FUNC_sk_redirect_hash = 72
    BPF_FUNC_lwt_push_encap = 73
    BPF_FUNC_lwt_seg6_store_bytes = 74
    BPF_FUNC_lwt_seg6_adjust_srh = 75
    BPF_FUNC_lwt_seg6_action = 76
    BPF_FUNC_rc_repeat = 77
    BPF_FUNC_rc_keydown = 78
    BPF_FUNC_skb_cgroup_id = 79
    BPF_FUNC_get_current_cgroup_id = 80
    BPF_FUNC_get_local_storage = 81
    BPF_FUNC_sk_select_reuseport = 82
    BPF_FUNC_skb_ancestor_cgroup_id = 83
    BPF_FUNC_sk_lookup_tcp = 84
    BPF_FUNC_sk_lookup_udp = 85
    BPF_FUNC_sk_release = 86
    BPF_FUNC_map_push_elem = 87
    BPF_FUNC_map_pop_elem = 88
    BPF_FUNC_map_peek_elem = 89
    BPF_FUNC_msg_push_data = 90
    BPF_FUNC_msg_pop_data = 91
    BPF_FUNC_rc_pointer_rel = 92
    BPF_FUNC_spin_lock = 93
    BPF_FUNC_spin_unlock = 94
    BPF_FUNC_sk_fullsock = 95
    BPF_FUNC_tcp_sock = 96
    BPF_FUNC_skb_ecn_set_ce = 97
    BPF_FUNC_get_listener_sock = 98
    BPF_FUNC_skc_lookup_tcp = 99
    BPF_FUNC_tcp_check_syncookie = 100
    BPF_FUNC_sysctl_get_name = 101
    BPF_FUNC_sysctl_get_current_value = 102
    BPF_FUNC_sysctl_get_new_value = 103
    BPF_FUNC_sysctl_set_new_value = 104
    BPF_FUNC_strtol = 105
    BPF_FUNC_strtoul = 106
    BPF_FUNC_sk_storage_get = 107
    BPF_FUNC_sk_storage_delete = 108
    BPF_FUNC_send_signal = 109
    BPF_FUNC_tcp_gen_syncookie = 110
    BPF_FUNC_skb_output = 111
    BPF_FUNC_probe_read_user = 112
    BPF_FUNC_probe_read_kernel = 113
    BPF_FUNC_probe_read_user_str = 114
    BPF_FUNC_probe_read_kernel_str = 115
    BPF_FUNC_tcp_send_ack = 116
    BPF_FUNC_send_signal_thread = 117
    BPF_FUNC_jiffies64 = 118
    BPF_FUNC_read_branch_records = 119
    BPF_FUNC_get_ns_current_pid_tgid = 120
    BPF_FUNC_xdp_output = 121
    BPF_FUNC_get_netns_cookie = 122
    BPF_FUNC_get_current_ancestor_cgroup_id = 123
    BPF_FUNC_sk_assign = 124
    BPF_FUNC_ktime_get_boot_ns = 125
    BPF_FUNC_seq_printf = 126
    BPF_FUNC_seq_write = 127
    BPF_FUNC_sk_cgroup_id = 128
    BPF_FUNC_sk_ancestor_cgroup_id = 129
    BPF_FUNC_ringbuf_output = 130
    BPF_FUNC_ringbuf_reserve = 131
    BPF_FUNC_ringbuf_submit = 132
    BPF_FUNC_ringbuf_discard = 133
    BPF_FUNC_ringbuf_query = 134
    BPF_FUNC_csum_level = 135
    BPF_FUNC_skc_to_tcp6_sock = 136
    BPF_FUNC_skc_to_tcp_sock = 137
    BPF_FUNC_skc_to_tcp_timewait_sock = 138
    BPF_FUNC_skc_to_tcp_request_sock = 139
    BPF_FUNC_skc_to_udp6_sock = 140
    BPF_FUNC_get_task_stack = 141
    BPF_FUNC_load_hdr_opt = 142
    BPF_FUNC_store_hdr_opt = 143
    BPF_FUNC_reserve_hdr_opt = 144
    BPF_FUNC_inode_storage_get = 145
    BPF_FUNC_inode_storage_delete = 146
    BPF_FUNC_d_path = 147
    BPF_FUNC_copy_from_user = 148
    BPF_FUNC_snprintf_btf = 149
    BPF_FUNC_seq_printf_btf = 150
    BPF_FUNC_skb_cgroup_classid = 151
    BPF_FUNC_redirect_neigh = 152
    BPF_FUNC_per_cpu_ptr = 153
    BPF_FUNC_this_cpu_ptr = 154
    BPF_FUNC_redirect_peer = 155
    BPF_FUNC_task_storage_get = 156
    BPF_FUNC_task_storage_delete = 157
    BPF_FUNC_get_current_task_btf = 158
    BPF_FUNC_bprm_opts_set = 159
    BPF_FUNC_ktime_get_coarse_ns = 160
    BPF_FUNC_ima_inode_hash = 161
    BPF_FUNC_sock_from_file = 162
    BPF_FUNC_check_mtu = 163
    BPF_FUNC_for_each_map_elem = 164
    BPF_FUNC_snprintf = 165
    BPF_FUNC_sys_bpf = 166
    BPF_FUNC_btf_find_by_name_kind = 167
    BPF_FUNC_sys_close = 168
    BPF_FUNC_timer_init = 169
    BPF_FUNC_timer_set_callback = 170
    BPF_FUNC_timer_start = 171
    BPF_FUNC_timer_cancel = 172
    BPF_FUNC_get_func_ip = 173
    BPF_FUNC_get_attach_cookie = 174
    BPF_FUNC_task_pt_regs = 175
    BPF_FUNC_get_branch_snapshot = 176
    BPF_FUNC_trace_vprintk = 177
    BPF_FUNC_skc_to_unix_sock = 178
    BPF_FUNC_kallsyms_lookup_name = 179
    BPF_FUNC_find_vma = 180
    BPF_FUNC_loop = 181
    BPF_FUNC_strncmp = 182
    BPF_FUNC_get_func_arg = 183
    BPF_FUNC_get_func_ret = 184
    BPF_FUNC_get_func_arg_cnt = 185
    BPF_FUNC_get_retval = 186
    BPF_FUNC_set_retval = 187
    BPF_FUNC_xdp_get_buff_len = 188
    BPF_FUNC_xdp_load_bytes = 189
    BPF_FUNC_xdp_store_bytes = 190
    BPF_FUNC_copy_from_user_task = 191
    BPF_FUNC_skb_set_tstamp = 192
    BPF_FUNC_ima_file_hash = 193
    BPF_FUNC_kptr_xchg = 194
    BPF_FUNC_map_lookup_percpu_elem = 195
    BPF_FUNC_skc_to_mptcp_sock = 196
    BPF_FUNC_dynptr_from_mem = 197
    BPF_FUNC_ringbuf_reserve_dynptr = 198
    BPF_FUNC_ringbuf_submit_dynptr = 199
    BPF_FUNC_ringbuf_discard_dynptr = 200
    BPF_FUNC_dynptr_read = 201
    BPF_FUNC_dynptr_write = 202
    BPF_FUNC_dynptr_data = 203
    BPF_FUNC_tcp_raw_gen_syncookie_ipv4 = 204
    BPF_FUNC_tcp_raw_gen_syncookie_ipv6 = 205
    BPF_FUNC_tcp_raw_check_syncookie_ipv4 = 206
    BPF_FUNC_tcp_raw_check_syncookie_ipv6 = 207
    BPF_FUNC_ktime_get_tai_ns = 208
    BPF_FUNC_user_ringbuf_drain = 209
    BPF_FUNC_cgrp_storage_get = 210
    BPF_FUNC_cgrp_storage_delete = 211
    __BPF_FUNC_MAX_ID = 212
class bpf_func_info(KernelStruct):
    insn_off: u32
    type_id: u32
class bpf_func_info_aux(KernelStruct):
    linkage: u16
    unreliable: bool
    called: bool
    verified: bool
class bpf_func_proto(KernelStruct):
    func: Any
    gpl_only: bool
    pkt_access: bool
    might_sleep: bool
    allow_fastcall: bool
    ret_type: u32
    arg1_type: u32
    arg2_type: u32
    arg3_type: u32
    arg4_type: u32
    arg5_type: u32
    arg_type: array[u32, Literal[5]]
    arg1_btf_id: ptr[u32]
    arg2_btf_id: ptr[u32]
    arg3_btf_id: ptr[u32]
    arg4_btf_id: ptr[u32]
    arg5_btf_id: ptr[u32]
    arg_btf_id: array[ptr[u32], Literal[5]]
    arg1_size: u64
    arg2_size: u64
    arg3_size: u64
    arg4_size: u64
    arg5_size: u64
    arg_size: array[u64, Literal[5]]
    ret_btf_id: ptr[i32]
    allowed: Any
class bpf_func_state(KernelStruct):
    ...
class bpf_hdr_start_off(IntEnum):
    BPF_HDR_START_MAC = 0
    BPF_HDR_START_NET = 1
class bpf_hrtimer(KernelStruct):
    cb: bpf_async_cb
    timer: hrtimer
    cancelling: atomic_t
class bpf_htab(KernelStruct):
    map: bpf_map
    ma: bpf_mem_alloc
    pcpu_ma: bpf_mem_alloc
    buckets: bucket
    elems: Any
    freelist: pcpu_freelist
    lru: bpf_lru
    extra_elems: Any
    pcount: percpu_counter
    count: atomic_t
    use_percpu_counter: bool
    n_buckets: u32
    elem_size: u32
    hashrnd: u32
class bpf_id_pair(KernelStruct):
    old: u32
    cur: u32
class bpf_idmap(KernelStruct):
    tmp_id_gen: u32
    map: array[bpf_id_pair, Literal[600]]
class bpf_idset(KernelStruct):
    count: u32
    ids: array[u32, Literal[600]]
class bpf_init_prog_state(KernelStruct):
    depth: i32
    e: array[Any, Literal[8]]
class bpf_insn(KernelStruct):
    code: u8
    dst_reg: u8
    src_reg: u8
    off: i16
    imm: i32
class bpf_insn_access_aux(KernelStruct):
    reg_type: u32
    is_ldsx: bool
    ctx_field_size: i32
    btf: _v.btf
    btf_id: u32
    ref_obj_id: u32
    log: bpf_verifier_log
    is_retval: bool
class bpf_insn_aux_data(KernelStruct):
    ptr_type: u32
    map_ptr_state: bpf_map_ptr_state
    call_imm: i32
    alu_limit: u32
    map_index: u32
    map_off: u32
    class btf_var_t(KernelStruct):
        reg_type: u32
        btf: _v.btf
        btf_id: u32
        mem_size: u32
    btf_var: btf_var_t
    loop_inline_state: bpf_loop_inline_state
    obj_new_size: u64
    insert_off: u64
    kptr_struct_meta: btf_struct_meta
    map_key_state: u64
    ctx_field_size: i32
    seen: u32
    nospec: bool
    nospec_result: bool
    zext_dst: bool
    needs_zext: bool
    storage_get_func_atomic: bool
    is_iter_next: bool
    call_with_percpu_alloc_ptr: bool
    alu_state: u8
    fastcall_pattern: u8
    fastcall_spills_num: u8
    arg_prog: u8
    orig_idx: u32
    jmp_point: bool
    prune_point: bool
    force_checkpoint: bool
    calls_callback: bool
    scc: u32
    live_regs_before: u16
class bpf_insn_cbs(KernelStruct):
    cb_print: Any
    cb_call: Any
    cb_imm: Any
    private_data: Any
class bpf_iter__bpf_link(KernelStruct):
    meta: bpf_iter_meta
    link: bpf_link
class bpf_iter__bpf_map(KernelStruct):
    meta: bpf_iter_meta
    map: bpf_map
class bpf_iter__bpf_map_elem(KernelStruct):
    meta: bpf_iter_meta
    map: bpf_map
    key: Any
    value: Any
class bpf_iter__bpf_prog(KernelStruct):
    meta: bpf_iter_meta
    prog: bpf_prog
class bpf_iter__bpf_sk_storage_map(KernelStruct):
    meta: bpf_iter_meta
    map: bpf_map
    sk: sock
    value: Any
class bpf_iter__cgroup(KernelStruct):
    meta: bpf_iter_meta
    cgroup: _v.cgroup
class bpf_iter__dmabuf(KernelStruct):
    meta: bpf_iter_meta
    dmabuf: dma_buf
class bpf_iter__ipv6_route(KernelStruct):
    meta: bpf_iter_meta
    rt: fib6_info
class bpf_iter__kmem_cache(KernelStruct):
    meta: bpf_iter_meta
    s: kmem_cache
class bpf_iter__ksym(KernelStruct):
    meta: bpf_iter_meta
    ksym: kallsym_iter
class bpf_iter__netlink(KernelStruct):
    meta: bpf_iter_meta
    sk: netlink_sock
class bpf_iter__sockmap(KernelStruct):
    meta: bpf_iter_meta
    map: bpf_map
    key: Any
    sk: sock
class bpf_iter__task(KernelStruct):
    meta: bpf_iter_meta
    task: task_struct
class bpf_iter__task__safe_trusted(KernelStruct):
    meta: bpf_iter_meta
    task: task_struct
class bpf_iter__task_file(KernelStruct):
    meta: bpf_iter_meta
    task: task_struct
    fd: u32
    file: _v.file
class bpf_iter__task_vma(KernelStruct):
    meta: bpf_iter_meta
    task: task_struct
    vma: vm_area_struct
class bpf_iter__tcp(KernelStruct):
    meta: bpf_iter_meta
    sk_common: sock_common
    uid: u32
class bpf_iter__udp(KernelStruct):
    meta: bpf_iter_meta
    udp_sk: udp_sock
    uid: u32
    bucket: i32
class bpf_iter__unix(KernelStruct):
    meta: bpf_iter_meta
    unix_sk: unix_sock
    uid: u32
class bpf_iter_aux_info(KernelStruct):
    map: bpf_map
    class cgroup_t(KernelStruct):
        start: cgroup
        order: u32
    cgroup: cgroup_t
    class task_t(KernelStruct):
        type: u32
        pid: u32
    task: task_t
class bpf_iter_bits(KernelStruct):
    __opaque: array[u64, Literal[2]]
class bpf_iter_bits_kern(KernelStruct):
    bits: ptr[u64]
    bits_copy: u64
    nr_bits: i32
    bit: i32
class bpf_iter_css(KernelStruct):
    __opaque: array[u64, Literal[3]]
class bpf_iter_css_kern(KernelStruct):
    start: cgroup_subsys_state
    pos: cgroup_subsys_state
    flags: u32
class bpf_iter_css_task(KernelStruct):
    __opaque: array[u64, Literal[1]]
class bpf_iter_css_task_kern(KernelStruct):
    css_it: css_task_iter
class bpf_iter_dmabuf(KernelStruct):
    __opaque: array[u64, Literal[1]]
class bpf_iter_dmabuf_kern(KernelStruct):
    dmabuf: dma_buf
class bpf_iter_feature(IntEnum):
    BPF_ITER_RESCHED = 1
class bpf_iter_kmem_cache(KernelStruct):
    __opaque: array[u64, Literal[1]]
class bpf_iter_kmem_cache_kern(KernelStruct):
    pos: kmem_cache
class bpf_iter_link(KernelStruct):
    link: bpf_link
    aux: bpf_iter_aux_info
    tinfo: bpf_iter_target_info
class bpf_iter_link_info(KernelStruct):
    class map_t(KernelStruct):
        map_fd: u32
    map: map_t
    class cgroup_t(KernelStruct):
        order: u32
        cgroup_fd: u32
        cgroup_id: u64
    cgroup: cgroup_t
    class task_t(KernelStruct):
        tid: u32
        pid: u32
        pid_fd: u32
    task: task_t
class bpf_iter_meta(KernelStruct):
    seq: seq_file
    session_id: u64
    seq_num: u64
class bpf_iter_meta__safe_trusted(KernelStruct):
    seq: seq_file
class bpf_iter_num(KernelStruct):
    __opaque: array[u64, Literal[1]]
class bpf_iter_num_kern(KernelStruct):
    cur: i32
    end: i32
class bpf_iter_priv_data(KernelStruct):
    tinfo: bpf_iter_target_info
    seq_info: bpf_iter_seq_info
    prog: bpf_prog
    session_id: u64
    seq_num: u64
    done_stop: bool
    target_private: array[u8, Literal[0]]
class bpf_iter_reg(KernelStruct):
    target: ptr[u8]
    attach_target: Any
    detach_target: Any
    show_fdinfo: Any
    fill_link_info: Any
    get_func_proto: Any
    ctx_arg_info_size: u32
    feature: u32
    ctx_arg_info: array[bpf_ctx_arg_aux, Literal[2]]
    seq_info: bpf_iter_seq_info
class bpf_iter_seq_array_map_info(KernelStruct):
    map: bpf_map
    percpu_value_buf: Any
    index: u32
class bpf_iter_seq_hash_map_info(KernelStruct):
    map: bpf_map
    htab: bpf_htab
    percpu_value_buf: Any
    bucket_id: u32
    skip_elems: u32
class bpf_iter_seq_info(KernelStruct):
    seq_ops: seq_operations
    init_seq_private: Any
    fini_seq_private: Any
    seq_priv_size: u32
class bpf_iter_seq_link_info(KernelStruct):
    link_id: u32
class bpf_iter_seq_map_info(KernelStruct):
    map_id: u32
class bpf_iter_seq_prog_info(KernelStruct):
    prog_id: u32
class bpf_iter_seq_sk_storage_map_info(KernelStruct):
    map: bpf_map
    bucket_id: u32
    skip_elems: u32
class bpf_iter_seq_task_common(KernelStruct):
    ns: pid_namespace
    type: u32
    pid: u32
    pid_visiting: u32
class bpf_iter_seq_task_file_info(KernelStruct):
    common: bpf_iter_seq_task_common
    task: task_struct
    tid: u32
    fd: u32
class bpf_iter_seq_task_info(KernelStruct):
    common: bpf_iter_seq_task_common
    tid: u32
class bpf_iter_seq_task_vma_info(KernelStruct):
    common: bpf_iter_seq_task_common
    task: task_struct
    mm: mm_struct
    vma: vm_area_struct
    tid: u32
    prev_vm_start: u64
    prev_vm_end: u64
class bpf_iter_state(IntEnum):
    BPF_ITER_STATE_INVALID = 0
    BPF_ITER_STATE_ACTIVE = 1
    BPF_ITER_STATE_DRAINED = 2
class bpf_iter_target_info(KernelStruct):
    list: list_head
    reg_info: bpf_iter_reg
    btf_id: u32
class bpf_iter_task(KernelStruct):
    __opaque: array[u64, Literal[3]]
class bpf_iter_task_kern(KernelStruct):
    task: task_struct
    pos: task_struct
    flags: u32
class bpf_iter_task_type(IntEnum):
    BPF_TASK_ITER_ALL = 0
    BPF_TASK_ITER_TID = 1
    BPF_TASK_ITER_TGID = 2
class bpf_iter_task_vma(KernelStruct):
    __opaque: array[u64, Literal[1]]
class bpf_iter_task_vma_kern(KernelStruct):
    data: bpf_iter_task_vma_kern_data
class bpf_iter_task_vma_kern_data(KernelStruct):
    task: task_struct
    mm: mm_struct
    snapshot: vm_area_struct
    next_addr: u64
class bpf_jit_poke_descriptor(KernelStruct):
    tailcall_target: Any
    tailcall_bypass: Any
    bypass_addr: Any
    aux: Any
    class tail_call_t(KernelStruct):
        map: bpf_map
        key: u32
    tail_call: tail_call_t
    tailcall_target_stable: bool
    adj_off: u8
    reason: u16
    insn_idx: u32
class bpf_jit_poke_reason(IntEnum):
    BPF_POKE_REASON_TAIL_CALL = 0
class bpf_jmp_history_entry(KernelStruct):
    idx: u32
    prev_idx: u32
    flags: u32
    linked_regs: u64
class bpf_key(KernelStruct):
    key: _v.key
    has_ref: bool
class bpf_kfunc_btf(KernelStruct):
    btf: _v.btf
    module: _v.module
    offset: u16
class bpf_kfunc_btf_tab(KernelStruct):
    descs: array[bpf_kfunc_btf, Literal[256]]
    nr_descs: u32
class bpf_kfunc_call_arg_meta(KernelStruct):
    btf: _v.btf
    func_id: u32
    kfunc_flags: u32
    func_proto: btf_type
    func_name: ptr[u8]
    ref_obj_id: u32
    release_regno: u8
    r0_rdonly: bool
    ret_btf_id: u32
    r0_size: u64
    subprogno: u32
    class arg_constant_t(KernelStruct):
        value: u64
        found: bool
    arg_constant: arg_constant_t
    arg_btf: _v.btf
    arg_btf_id: u32
    arg_owning_ref: bool
    arg_prog: bool
    class arg_list_head_t(KernelStruct):
        field: btf_field
    arg_list_head: arg_list_head_t
    class arg_rbtree_root_t(KernelStruct):
        field: btf_field
    arg_rbtree_root: arg_rbtree_root_t
    class initialized_dynptr_t(KernelStruct):
        type: u32
        id: u32
        ref_obj_id: u32
    initialized_dynptr: initialized_dynptr_t
    class iter_t(KernelStruct):
        spi: u8
        frameno: u8
    iter: iter_t
    map: bpf_map_desc
    mem_size: u64
class bpf_kfunc_desc(KernelStruct):
    func_model: btf_func_model
    func_id: u32
    imm: i32
    offset: u16
    addr: u64
class bpf_kfunc_desc_tab(KernelStruct):
    descs: array[bpf_kfunc_desc, Literal[256]]
    nr_descs: u32
class bpf_kfunc_flags(IntEnum):
    BPF_F_PAD_ZEROS = 1
class bpf_ksym(KernelStruct):
    start: u64
    end: u64
    name: array[char, Literal[512]]
    lnode: list_head
    tnode: latch_tree_node
    prog: bool
    init_private: u8
class bpf_line_info(KernelStruct):
    insn_off: u32
    file_name_off: u32
    line_off: u32
    line_col: u32
class bpf_link(KernelStruct):
    refcnt: atomic64_t
    id: u32
    init_private: u8
    type: u32
    ops: bpf_link_ops
    prog: bpf_prog
    flags: u32
    attach_type: u32
    rcu: callback_head
    work: work_struct
    sleepable: bool
class bpf_link_info(KernelStruct):
    type: u32
    id: u32
    prog_id: u32
    class raw_tracepoint_t(KernelStruct):
        tp_name: u64
        tp_name_len: u32
        cookie: u64
    raw_tracepoint: raw_tracepoint_t
    class tracing_t(KernelStruct):
        attach_type: u32
        target_obj_id: u32
        target_btf_id: u32
        cookie: u64
    tracing: tracing_t
    class cgroup_t(KernelStruct):
        cgroup_id: u64
        attach_type: u32
    cgroup: cgroup_t
    class iter_t(KernelStruct):
        target_name: u64
        target_name_len: u32
        class map_t(KernelStruct):
            map_id: u32
        map: map_t
        class cgroup_t(KernelStruct):
            cgroup_id: u64
            order: u32
        cgroup: cgroup_t
        class task_t(KernelStruct):
            tid: u32
            pid: u32
        task: task_t
    iter: iter_t
    class netns_t(KernelStruct):
        netns_ino: u32
        attach_type: u32
    netns: netns_t
    class xdp_t(KernelStruct):
        ifindex: u32
    xdp: xdp_t
    class struct_ops_t(KernelStruct):
        map_id: u32
    struct_ops: struct_ops_t
    class netfilter_t(KernelStruct):
        pf: u32
        hooknum: u32
        priority: i32
        flags: u32
    netfilter: netfilter_t
    class kprobe_multi_t(KernelStruct):
        addrs: u64
        count: u32
        flags: u32
        missed: u64
        cookies: u64
    kprobe_multi: kprobe_multi_t
    class uprobe_multi_t(KernelStruct):
        path: u64
        offsets: u64
        ref_ctr_offsets: u64
        cookies: u64
        path_size: u32
        count: u32
        flags: u32
        pid: u32
    uprobe_multi: uprobe_multi_t
    class perf_event_t(KernelStruct):
        type: u32
        class uprobe_t(KernelStruct):
            file_name: u64
            name_len: u32
            offset: u32
            cookie: u64
            ref_ctr_offset: u64
        uprobe: uprobe_t
        class kprobe_t(KernelStruct):
            func_name: u64
            name_len: u32
            offset: u32
            addr: u64
            missed: u64
            cookie: u64
        kprobe: kprobe_t
        class tracepoint_t(KernelStruct):
            tp_name: u64
            name_len: u32
            cookie: u64
        tracepoint: tracepoint_t
        class event_t(KernelStruct):
            config: u64
            type: u32
            cookie: u64
        event: event_t
    perf_event: perf_event_t
    class tcx_t(KernelStruct):
        ifindex: u32
        attach_type: u32
    tcx: tcx_t
    class netkit_t(KernelStruct):
        ifindex: u32
        attach_type: u32
    netkit: netkit_t
    class sockmap_t(KernelStruct):
        map_id: u32
        attach_type: u32
    sockmap: sockmap_t
class bpf_link_ops(KernelStruct):
    ...
class bpf_link_primer(KernelStruct):
    link: bpf_link
    file: _v.file
    fd: i32
    id: u32
class bpf_link_type(IntEnum):
    BPF_LINK_TYPE_UNSPEC = 0
    BPF_LINK_TYPE_RAW_TRACEPOINT = 1
    BPF_LINK_TYPE_TRACING = 2
    BPF_LINK_TYPE_CGROUP = 3
    BPF_LINK_TYPE_ITER = 4
    BPF_LINK_TYPE_NETNS = 5
    BPF_LINK_TYPE_XDP = 6
    BPF_LINK_TYPE_PERF_EVENT = 7
    BPF_LINK_TYPE_KPROBE_MULTI = 8
    BPF_LINK_TYPE_STRUCT_OPS = 9
    BPF_LINK_TYPE_NETFILTER = 10
    BPF_LINK_TYPE_TCX = 11
    BPF_LINK_TYPE_UPROBE_MULTI = 12
    BPF_LINK_TYPE_NETKIT = 13
    BPF_LINK_TYPE_SOCKMAP = 14
    __MAX_BPF_LINK_TYPE = 15
class bpf_list_head(KernelStruct):
    __opaque: array[u64, Literal[2]]
class bpf_list_node(KernelStruct):
    __opaque: array[u64, Literal[3]]
class bpf_list_node_kern(KernelStruct):
    list_head: _v.list_head
    owner: Any
class bpf_liveness(KernelStruct):
    func_instances: array[hlist_head, Literal[256]]
    live_stack_query: _v.live_stack_query
    cur_instance: func_instance
    write_masks_acc: array[u64, Literal[8]]
    write_insn_idx: u32
class bpf_load_and_run_opts(KernelStruct):
    ctx: bpf_loader_ctx
    data: Any
    insns: Any
    data_sz: u32
    insns_sz: u32
    errstr: ptr[u8]
    signature: Any
    signature_sz: u32
    keyring_id: i32
    excl_prog_hash: Any
    excl_prog_hash_sz: u32
class bpf_loader_ctx(KernelStruct):
    sz: u32
    flags: u32
    log_level: u32
    log_size: u32
    log_buf: u64
class bpf_local_storage(KernelStruct):
    cache: array[bpf_local_storage_data, Literal[16]]
    smap: bpf_local_storage_map
    list: hlist_head
    owner: Any
    rcu: callback_head
    lock: raw_spinlock
class bpf_local_storage_cache(KernelStruct):
    idx_lock: spinlock
    idx_usage_counts: array[u64, Literal[16]]
class bpf_local_storage_data(KernelStruct):
    smap: bpf_local_storage_map
    data: array[u8, Literal[0]]
class bpf_local_storage_elem(KernelStruct):
    map_node: hlist_node
    snode: hlist_node
    local_storage: bpf_local_storage
    rcu: callback_head
    free_node: hlist_node
    sdata: bpf_local_storage_data
class bpf_local_storage_map(KernelStruct):
    map: bpf_map
    buckets: bpf_local_storage_map_bucket
    bucket_log: u32
    elem_size: u16
    cache_idx: u16
    selem_ma: bpf_mem_alloc
    storage_ma: bpf_mem_alloc
    bpf_ma: bool
class bpf_local_storage_map_bucket(KernelStruct):
    list: hlist_head
    lock: raw_spinlock
class bpf_loop_inline_state(KernelStruct):
    initialized: u32
    fit_for_inline: u32
    callback_subprogno: u32
class bpf_lpm_trie_key_hdr(KernelStruct):
    prefixlen: u32
class bpf_lpm_trie_key_u8(KernelStruct):
    hdr: bpf_lpm_trie_key_hdr
    prefixlen: u32
    data: array[u8, Literal[0]]
class bpf_lru(KernelStruct):
    common_lru: bpf_common_lru
    percpu_lru: bpf_lru_list
    del_from_htab: Any
    del_arg: Any
    hash_offset: u32
    target_free: u32
    nr_scans: u32
    percpu: bool
class bpf_lru_list(KernelStruct):
    lists: array[list_head, Literal[3]]
    counts: array[u32, Literal[2]]
    next_inactive_rotation: list_head
    lock: qspinlock
class bpf_lru_list_type(IntEnum):
    BPF_LRU_LIST_T_ACTIVE = 0
    BPF_LRU_LIST_T_INACTIVE = 1
    BPF_LRU_LIST_T_FREE = 2
    BPF_LRU_LOCAL_LIST_T_FREE = 3
    BPF_LRU_LOCAL_LIST_T_PENDING = 4
class bpf_lru_locallist(KernelStruct):
    pending_list: list_head
    free_llist: llist_head
    next_steal: u16
    lock: qspinlock
class bpf_lru_node(KernelStruct):
    list: list_head
    llist: llist_node
    cpu: u16
    type: u8
    ref: u8
    pending_free: u8
class bpf_lwt(KernelStruct):
    in_: bpf_lwt_prog
    out: bpf_lwt_prog
    xmit: bpf_lwt_prog
    family: i32
class bpf_lwt_encap_mode(IntEnum):
    BPF_LWT_ENCAP_SEG6 = 0
    BPF_LWT_ENCAP_SEG6_INLINE = 1
    BPF_LWT_ENCAP_IP = 2
class bpf_lwt_prog(KernelStruct):
    prog: bpf_prog
    name: ptr[u8]
class bpf_map(KernelStruct):
    sha: array[u8, Literal[32]]
    excl: u32
    ops: bpf_map_ops
    inner_map_meta: bpf_map
    security: Any
    map_type: u32
    key_size: u32
    value_size: u32
    max_entries: u32
    map_extra: u64
    map_flags: u32
    id: u32
    record: btf_record
    numa_node: i32
    btf_key_type_id: u32
    btf_value_type_id: u32
    btf_vmlinux_value_type_id: u32
    btf: _v.btf
    objcg: obj_cgroup
    name: array[char, Literal[16]]
    freeze_mutex: mutex
    refcnt: atomic64_t
    usercnt: atomic64_t
    work: work_struct
    rcu: callback_head
    writecnt: atomic64_t
    owner_lock: spinlock
    owner: bpf_map_owner
    bypass_spec_v1: bool
    frozen: bool
    init_private: u8
    free_after_mult_rcu_gp: bool
    free_after_rcu_gp: bool
    sleepable_refcnt: atomic64_t
    elem_count: ptr[i64]
    cookie: u64
    excl_prog_sha: ptr[u8]
class bpf_map_desc(KernelStruct):
    ptr: bpf_map
    uid: i32
class bpf_map_dev_ops(KernelStruct):
    ...
class bpf_map_info(KernelStruct):
    type: u32
    id: u32
    key_size: u32
    value_size: u32
    max_entries: u32
    map_flags: u32
    name: array[char, Literal[16]]
    ifindex: u32
    btf_vmlinux_value_type_id: u32
    netns_dev: u64
    netns_ino: u64
    btf_id: u32
    btf_key_type_id: u32
    btf_value_type_id: u32
    btf_vmlinux_id: u32
    map_extra: u64
    hash: u64
    hash_size: u32
class bpf_map_ops(KernelStruct):
    ...
class bpf_map_owner(KernelStruct):
    type: u32
    jited: bool
    xdp_has_frags: bool
    storage_cookie: array[u64, Literal[2]]
    attach_func_proto: btf_type
    expected_attach_type: u32
class bpf_map_ptr_state(KernelStruct):
    map_ptr: bpf_map
    poison: bool
    unpriv: bool
class bpf_map_type(IntEnum):
    BPF_MAP_TYPE_UNSPEC = 0
    BPF_MAP_TYPE_HASH = 1
    BPF_MAP_TYPE_ARRAY = 2
    BPF_MAP_TYPE_PROG_ARRAY = 3
    BPF_MAP_TYPE_PERF_EVENT_ARRAY = 4
    BPF_MAP_TYPE_PERCPU_HASH = 5
    BPF_MAP_TYPE_PERCPU_ARRAY = 6
    BPF_MAP_TYPE_STACK_TRACE = 7
    BPF_MAP_TYPE_CGROUP_ARRAY = 8
    BPF_MAP_TYPE_LRU_HASH = 9
    BPF_MAP_TYPE_LRU_PERCPU_HASH = 10
    BPF_MAP_TYPE_LPM_TRIE = 11
    BPF_MAP_TYPE_ARRAY_OF_MAPS = 12
    BPF_MAP_TYPE_HASH_OF_MAPS = 13
    BPF_MAP_TYPE_DEVMAP = 14
    BPF_MAP_TYPE_SOCKMAP = 15
    BPF_MAP_TYPE_CPUMAP = 16
    BPF_MAP_TYPE_XSKMAP = 17
    BPF_MAP_TYPE_SOCKHASH = 18
    BPF_MAP_TYPE_CGROUP_STORAGE_DEPRECATED = 19
    BPF_MAP_TYPE_CGROUP_STORAGE = 19
    BPF_MAP_TYPE_REUSEPORT_SOCKARRAY = 20
    BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE_DEPRECATED = 21
    BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE = 21
    BPF_MAP_TYPE_QUEUE = 22
    BPF_MAP_TYPE_STACK = 23
    BPF_MAP_TYPE_SK_STORAGE = 24
    BPF_MAP_TYPE_DEVMAP_HASH = 25
    BPF_MAP_TYPE_STRUCT_OPS = 26
    BPF_MAP_TYPE_RINGBUF = 27
    BPF_MAP_TYPE_INODE_STORAGE = 28
    BPF_MAP_TYPE_TASK_STORAGE = 29
    BPF_MAP_TYPE_BLOOM_FILTER = 30
    BPF_MAP_TYPE_USER_RINGBUF = 31
    BPF_MAP_TYPE_CGRP_STORAGE = 32
    BPF_MAP_TYPE_ARENA = 33
    __MAX_BPF_MAP_TYPE = 34
class bpf_mem_alloc(KernelStruct):
    caches: bpf_mem_caches
    cache: bpf_mem_cache
    objcg: obj_cgroup
    percpu: bool
    work: work_struct
class bpf_mem_cache(KernelStruct):
    free_llist: llist_head
    active: local_t
    free_llist_extra: llist_head
    refill_work: irq_work
    objcg: obj_cgroup
    unit_size: i32
    free_cnt: i32
    low_watermark: i32
    high_watermark: i32
    batch: i32
    percpu_size: i32
    draining: bool
    tgt: bpf_mem_cache
    free_by_rcu: llist_head
    free_by_rcu_tail: llist_node
    waiting_for_gp: llist_head
    waiting_for_gp_tail: llist_node
    rcu: callback_head
    call_rcu_in_progress: atomic_t
    free_llist_extra_rcu: llist_head
    free_by_rcu_ttrace: llist_head
    waiting_for_gp_ttrace: llist_head
    rcu_ttrace: callback_head
    call_rcu_ttrace_in_progress: atomic_t
class bpf_mem_caches(KernelStruct):
    cache: array[bpf_mem_cache, Literal[11]]
class bpf_mount_opts(KernelStruct):
    uid: kuid_t
    gid: kgid_t
    mode: u16
    delegate_cmds: u64
    delegate_maps: u64
    delegate_progs: u64
    delegate_attachs: u64
class bpf_mprog_bundle(KernelStruct):
    a: bpf_mprog_entry
    b: bpf_mprog_entry
    cp_items: array[bpf_mprog_cp, Literal[64]]
    ref: bpf_prog
    revision: atomic64_t
    count: u32
class bpf_mprog_cp(KernelStruct):
    link: bpf_link
class bpf_mprog_entry(KernelStruct):
    fp_items: array[bpf_mprog_fp, Literal[64]]
    parent: bpf_mprog_bundle
class bpf_mprog_fp(KernelStruct):
    prog: bpf_prog
class bpf_nested_pt_regs(KernelStruct):
    regs: array[pt_regs, Literal[3]]
class bpf_net_context(KernelStruct):
    ri: bpf_redirect_info
    cpu_map_flush_list: list_head
    dev_map_flush_list: list_head
    xskmap_map_flush_list: list_head
class bpf_netdev_command(IntEnum):
    XDP_SETUP_PROG = 0
    XDP_SETUP_PROG_HW = 1
    BPF_OFFLOAD_MAP_ALLOC = 2
    BPF_OFFLOAD_MAP_FREE = 3
    XDP_SETUP_XSK_POOL = 4
class bpf_netns_link(KernelStruct):
    link: bpf_link
    net: _v.net
    node: list_head
    netns_type: i32
class bpf_nf_ctx(KernelStruct):
    state: nf_hook_state
    skb: sk_buff
class bpf_nf_link(KernelStruct):
    link: bpf_link
    hook_ops: nf_hook_ops
    ns_tracker: netns_tracker
    net: _v.net
    dead: u32
    defrag_hook: nf_defrag_hook
class bpf_nh_params(KernelStruct):
    nh_family: u32
    ipv4_nh: u32
    ipv6_nh: in6_addr
class bpf_obj_idr_kind(IntEnum):
    BPF_OBJ_IDR_PROG = 0
    BPF_OBJ_IDR_MAP = 1
    BPF_OBJ_IDR_BTF = 2
    BPF_OBJ_IDR_LINK = 3
class bpf_offload_dev(KernelStruct):
    ...
class bpf_offloaded_map(KernelStruct):
    map: bpf_map
    netdev: net_device
    dev_ops: bpf_map_dev_ops
    dev_priv: Any
    offloads: list_head
class bpf_perf_event_data(KernelStruct):
    regs: pt_regs
    sample_period: u64
    addr: u64
class bpf_perf_event_data_kern(KernelStruct):
    regs: pt_regs
    data: perf_sample_data
    event: perf_event
class bpf_perf_event_type(IntEnum):
    BPF_PERF_EVENT_UNSPEC = 0
    BPF_PERF_EVENT_UPROBE = 1
    BPF_PERF_EVENT_URETPROBE = 2
    BPF_PERF_EVENT_KPROBE = 3
    BPF_PERF_EVENT_KRETPROBE = 4
    BPF_PERF_EVENT_TRACEPOINT = 5
    BPF_PERF_EVENT_EVENT = 6
class bpf_perf_event_value(KernelStruct):
    counter: u64
    enabled: u64
    running: u64
class bpf_perf_link(KernelStruct):
    link: bpf_link
    perf_file: file
class bpf_pidns_info(KernelStruct):
    pid: u32
    tgid: u32
class bpf_preload_info(KernelStruct):
    link_name: array[char, Literal[16]]
    link: bpf_link
class bpf_prog(KernelStruct):
    pages: u16
    jited: u16
    jit_requested: u16
    gpl_compatible: u16
    cb_access: u16
    dst_needed: u16
    blinding_requested: u16
    blinded: u16
    is_func: u16
    kprobe_override: u16
    has_callchain_buf: u16
    enforce_expected_attach_type: u16
    call_get_stack: u16
    call_get_func_ip: u16
    tstamp_type_access: u16
    sleepable: u16
    type: u32
    expected_attach_type: u32
    len: u32
    jited_len: u32
    digest: array[u8, Literal[32]]
    tag: array[u8, Literal[8]]
    stats: bpf_prog_stats
    active: ptr[i32]
    bpf_func: Any
    aux: bpf_prog_aux
    orig_prog: sock_fprog_kern
    class __empty_insns_t(KernelStruct):
        ...
    __empty_insns: __empty_insns_t
    insns: array[sock_filter, Literal[0]]
    class __empty_insnsi_t(KernelStruct):
        ...
    __empty_insnsi: __empty_insnsi_t
    insnsi: array[bpf_insn, Literal[0]]
class bpf_prog_array(KernelStruct):
    rcu: callback_head
    items: array[bpf_prog_array_item, Literal[0]]
class bpf_prog_array_item(KernelStruct):
    prog: bpf_prog
    cgroup_storage: array[bpf_cgroup_storage, Literal[2]]
    bpf_cookie: u64
class bpf_prog_aux(KernelStruct):
    refcnt: atomic64_t
    used_map_cnt: u32
    used_btf_cnt: u32
    max_ctx_offset: u32
    max_pkt_offset: u32
    max_tp_access: u32
    stack_depth: u32
    id: u32
    func_cnt: u32
    real_func_cnt: u32
    func_idx: u32
    attach_btf_id: u32
    attach_st_ops_member_off: u32
    ctx_arg_info_size: u32
    max_rdonly_access: u32
    max_rdwr_access: u32
    attach_btf: _v.btf
    ctx_arg_info: bpf_ctx_arg_aux
    priv_stack_ptr: Any
    dst_mutex: mutex
    dst_prog: bpf_prog
    dst_trampoline: bpf_trampoline
    saved_dst_prog_type: u32
    saved_dst_attach_type: u32
    verifier_zext: bool
    dev_bound: bool
    offload_requested: bool
    attach_btf_trace: bool
    attach_tracing_prog: bool
    func_proto_unreliable: bool
    tail_call_reachable: bool
    xdp_has_frags: bool
    exception_cb: bool
    exception_boundary: bool
    is_extended: bool
    jits_use_priv_stack: bool
    priv_stack_requested: bool
    changes_pkt_data: bool
    might_sleep: bool
    kprobe_write_ctx: bool
    prog_array_member_cnt: u64
    ext_mutex: mutex
    arena: bpf_arena
    recursion_detected: Any
    attach_func_proto: btf_type
    attach_func_name: ptr[u8]
    func: Any
    main_prog_aux: bpf_prog_aux
    jit_data: Any
    poke_tab: bpf_jit_poke_descriptor
    kfunc_tab: bpf_kfunc_desc_tab
    kfunc_btf_tab: bpf_kfunc_btf_tab
    size_poke_tab: u32
    ksym: bpf_ksym
    ops: bpf_prog_ops
    st_ops: bpf_struct_ops
    used_maps: Any
    used_maps_mutex: mutex
    used_btfs: btf_mod_pair
    prog: bpf_prog
    user: user_struct
    init_private: u8
    init_owned: bool
    load_time: u64
    verified_insns: u32
    cgroup_atype: i32
    cgroup_storage: array[bpf_map, Literal[2]]
    name: array[char, Literal[16]]
    bpf_exception_cb: Any
    security: Any
    token: bpf_token
    offload: bpf_prog_offload
    btf: _v.btf
    func_info: bpf_func_info
    func_info_aux: bpf_func_info_aux
    linfo: bpf_line_info
    jited_linfo: Any
    func_info_cnt: u32
    nr_linfo: u32
    linfo_idx: u32
    mod: module
    num_exentries: u32
    extable: exception_table_entry
    work: work_struct
    rcu: callback_head
    stream: array[bpf_stream, Literal[2]]
class bpf_prog_desc(KernelStruct):
    prog_fd: i32
class bpf_prog_dummy(KernelStruct):
    prog: bpf_prog
class bpf_prog_info(KernelStruct):
    type: u32
    id: u32
    tag: array[u8, Literal[8]]
    jited_prog_len: u32
    xlated_prog_len: u32
    jited_prog_insns: u64
    xlated_prog_insns: u64
    load_time: u64
    created_by_uid: u32
    nr_map_ids: u32
    map_ids: u64
    name: array[char, Literal[16]]
    ifindex: u32
    gpl_compatible: u32
    netns_dev: u64
    netns_ino: u64
    nr_jited_ksyms: u32
    nr_jited_func_lens: u32
    jited_ksyms: u64
    jited_func_lens: u64
    btf_id: u32
    func_info_rec_size: u32
    func_info: u64
    nr_func_info: u32
    nr_line_info: u32
    line_info: u64
    jited_line_info: u64
    nr_jited_line_info: u32
    line_info_rec_size: u32
    jited_line_info_rec_size: u32
    nr_prog_tags: u32
    prog_tags: u64
    run_time_ns: u64
    run_cnt: u64
    recursion_misses: u64
    verified_insns: u32
    attach_btf_obj_id: u32
    attach_btf_id: u32
class bpf_prog_kstats(KernelStruct):
    nsecs: u64
    cnt: u64
    misses: u64
class bpf_prog_list(KernelStruct):
    node: hlist_node
    prog: bpf_prog
    link: bpf_cgroup_link
    storage: array[bpf_cgroup_storage, Literal[2]]
    flags: u32
class bpf_prog_offload(KernelStruct):
    prog: bpf_prog
    netdev: net_device
    offdev: bpf_offload_dev
    dev_priv: Any
    offloads: list_head
    dev_state: bool
    opt_failed: bool
    jited_image: Any
    jited_len: u32
class bpf_prog_ops(KernelStruct):
    ...
class bpf_prog_stats(KernelStruct):
    cnt: u64_stats_t
    nsecs: u64_stats_t
    misses: u64_stats_t
    syncp: u64_stats_sync
class bpf_prog_type(IntEnum):
    BPF_PROG_TYPE_UNSPEC = 0
    BPF_PROG_TYPE_SOCKET_FILTER = 1
    BPF_PROG_TYPE_KPROBE = 2
    BPF_PROG_TYPE_SCHED_CLS = 3
    BPF_PROG_TYPE_SCHED_ACT = 4
    BPF_PROG_TYPE_TRACEPOINT = 5
    BPF_PROG_TYPE_XDP = 6
    BPF_PROG_TYPE_PERF_EVENT = 7
    BPF_PROG_TYPE_CGROUP_SKB = 8
    BPF_PROG_TYPE_CGROUP_SOCK = 9
    BPF_PROG_TYPE_LWT_IN = 10
    BPF_PROG_TYPE_LWT_OUT = 11
    BPF_PROG_TYPE_LWT_XMIT = 12
    BPF_PROG_TYPE_SOCK_OPS = 13
    BPF_PROG_TYPE_SK_SKB = 14
    BPF_PROG_TYPE_CGROUP_DEVICE = 15
    BPF_PROG_TYPE_SK_MSG = 16
    BPF_PROG_TYPE_RAW_TRACEPOINT = 17
    BPF_PROG_TYPE_CGROUP_SOCK_ADDR = 18
    BPF_PROG_TYPE_LWT_SEG6LOCAL = 19
    BPF_PROG_TYPE_LIRC_MODE2 = 20
    BPF_PROG_TYPE_SK_REUSEPORT = 21
    BPF_PROG_TYPE_FLOW_DISSECTOR = 22
    BPF_PROG_TYPE_CGROUP_SYSCTL = 23
    BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE = 24
    BPF_PROG_TYPE_CGROUP_SOCKOPT = 25
    BPF_PROG_TYPE_TRACING = 26
    BPF_PROG_TYPE_STRUCT_OPS = 27
    BPF_PROG_TYPE_EXT = 28
    BPF_PROG_TYPE_LSM = 29
    BPF_PROG_TYPE_SK_LOOKUP = 30
    BPF_PROG_TYPE_SYSCALL = 31
    BPF_PROG_TYPE_NETFILTER = 32
    __MAX_BPF_PROG_TYPE = 33
class bpf_queue_stack(KernelStruct):
    map: bpf_map
    lock: qspinlock
    head: u32
    tail: u32
    size: u32
    elements: array[char, Literal[0]]
class bpf_raw_event_map(KernelStruct):
    tp: tracepoint
    bpf_func: Any
    num_args: u32
    writable_size: u32
class bpf_raw_tp_link(KernelStruct):
    link: bpf_link
    btp: bpf_raw_event_map
    cookie: u64
class bpf_raw_tp_null_args(KernelStruct):
    func: ptr[u8]
    mask: u64
class bpf_raw_tp_regs(KernelStruct):
    regs: array[pt_regs, Literal[3]]
class bpf_raw_tp_test_run_info(KernelStruct):
    prog: bpf_prog
    ctx: Any
    retval: u32
class bpf_raw_tracepoint_args(KernelStruct):
    args: array[u64, Literal[0]]
class bpf_rb_node(KernelStruct):
    __opaque: array[u64, Literal[4]]
class bpf_rb_node_kern(KernelStruct):
    rb_node: _v.rb_node
    owner: Any
class bpf_rb_root(KernelStruct):
    __opaque: array[u64, Literal[2]]
class bpf_redir_neigh(KernelStruct):
    nh_family: u32
    ipv4_nh: u32
    ipv6_nh: array[u32, Literal[4]]
class bpf_redirect_info(KernelStruct):
    tgt_index: u64
    tgt_value: Any
    map: bpf_map
    flags: u32
    map_id: u32
    map_type: u32
    nh: bpf_nh_params
    kern_flags: u32
class bpf_refcount(KernelStruct):
    __opaque: array[u32, Literal[1]]
class bpf_reference_state(KernelStruct):
    type: u32
    id: i32
    insn_idx: i32
    ptr: Any
class bpf_reg_state(KernelStruct):
    type: u32
    off: i32
    range: i32
    map_ptr: bpf_map
    map_uid: u32
    btf: _v.btf
    btf_id: u32
    mem_size: u32
    dynptr_id: u32
    class dynptr_t(KernelStruct):
        type: u32
        first_slot: bool
    dynptr: dynptr_t
    class iter_t(KernelStruct):
        btf: _v.btf
        btf_id: u32
        state: u32
        depth: i32
    iter: iter_t
    class irq_t(KernelStruct):
        kfunc_class: u32
    irq: irq_t
    class raw_t(KernelStruct):
        raw1: u64
        raw2: u64
    raw: raw_t
    subprogno: u32
    var_off: tnum
    smin_value: i64
    smax_value: i64
    umin_value: u64
    umax_value: u64
    s32_min_value: i32
    s32_max_value: i32
    u32_min_value: u32
    u32_max_value: u32
    id: u32
    ref_obj_id: u32
    frameno: u32
    subreg_def: i32
    precise: bool
class bpf_reg_type(IntEnum):
    NOT_INIT = 0
    SCALAR_VALUE = 1
    PTR_TO_CTX = 2
    CONST_PTR_TO_MAP = 3
    PTR_TO_MAP_VALUE = 4
    PTR_TO_MAP_KEY = 5
    PTR_TO_STACK = 6
    PTR_TO_PACKET_META = 7
    PTR_TO_PACKET = 8
    PTR_TO_PACKET_END = 9
    PTR_TO_FLOW_KEYS = 10
    PTR_TO_SOCKET = 11
    PTR_TO_SOCK_COMMON = 12
    PTR_TO_TCP_SOCK = 13
    PTR_TO_TP_BUFFER = 14
    PTR_TO_XDP_SOCK = 15
    PTR_TO_BTF_ID = 16
    PTR_TO_MEM = 17
    PTR_TO_ARENA = 18
    PTR_TO_BUF = 19
    PTR_TO_FUNC = 20
    CONST_PTR_TO_DYNPTR = 21
    __BPF_REG_TYPE_MAX = 22
    PTR_TO_MAP_VALUE_OR_NULL = 260
    PTR_TO_SOCKET_OR_NULL = 267
    PTR_TO_SOCK_COMMON_OR_NULL = 268
    PTR_TO_TCP_SOCK_OR_NULL = 269
    PTR_TO_BTF_ID_OR_NULL = 272
    __BPF_REG_TYPE_LIMIT = 268435455
class bpf_res_spin_lock(KernelStruct):
    val: u32
class bpf_ret_code(IntEnum):
    BPF_OK = 0
    BPF_DROP = 2
    BPF_REDIRECT = 7
    BPF_LWT_REROUTE = 128
    BPF_FLOW_DISSECTOR_CONTINUE = 129
class bpf_return_type(IntEnum):
    RET_INTEGER = 0
    RET_VOID = 1
    RET_PTR_TO_MAP_VALUE = 2
    RET_PTR_TO_SOCKET = 3
    RET_PTR_TO_TCP_SOCK = 4
    RET_PTR_TO_SOCK_COMMON = 5
    RET_PTR_TO_MEM = 6
    RET_PTR_TO_MEM_OR_BTF_ID = 7
    RET_PTR_TO_BTF_ID = 8
    __BPF_RET_TYPE_MAX = 9
    RET_PTR_TO_MAP_VALUE_OR_NULL = 258
    RET_PTR_TO_SOCKET_OR_NULL = 259
    RET_PTR_TO_TCP_SOCK_OR_NULL = 260
    RET_PTR_TO_SOCK_COMMON_OR_NULL = 261
    RET_PTR_TO_RINGBUF_MEM_OR_NULL = 1286
    RET_PTR_TO_DYNPTR_MEM_OR_NULL = 262
    RET_PTR_TO_BTF_ID_OR_NULL = 264
    RET_PTR_TO_BTF_ID_TRUSTED = 1048584
    __BPF_RET_TYPE_LIMIT = 268435455
class bpf_retval_range(KernelStruct):
    minval: i32
    maxval: i32
class bpf_ringbuf(KernelStruct):
    waitq: wait_queue_head
    work: irq_work
    mask: u64
    pages: Any
    nr_pages: i32
    spinlock: qspinlock
    busy: atomic_t
    consumer_pos: u64
    producer_pos: u64
    pending_pos: u64
    data: array[char, Literal[0]]
class bpf_ringbuf_hdr(KernelStruct):
    len: u32
    pg_off: u32
class bpf_ringbuf_map(KernelStruct):
    map: bpf_map
    rb: bpf_ringbuf
class bpf_run_ctx(KernelStruct):
    ...
class bpf_sanitize_info(KernelStruct):
    aux: bpf_insn_aux_data
    mask_to_left: bool
class bpf_scc_backedge(KernelStruct):
    next: bpf_scc_backedge
    state: bpf_verifier_state
class bpf_scc_callchain(KernelStruct):
    callsites: array[u32, Literal[7]]
    scc: u32
class bpf_scc_info(KernelStruct):
    num_visits: u32
    visits: array[bpf_scc_visit, Literal[0]]
class bpf_scc_visit(KernelStruct):
    callchain: bpf_scc_callchain
    entry_state: bpf_verifier_state
    backedges: bpf_scc_backedge
    num_backedges: u32
class bpf_security_struct(KernelStruct):
    sid: u32
class bpf_session_run_ctx(KernelStruct):
    run_ctx: bpf_run_ctx
    is_return: bool
    data: Any
class bpf_shim_tramp_link(KernelStruct):
    link: bpf_tramp_link
    trampoline: bpf_trampoline
class bpf_shtab(KernelStruct):
    map: bpf_map
    buckets: bpf_shtab_bucket
    buckets_num: u32
    elem_size: u32
    progs: sk_psock_progs
    count: atomic_t
class bpf_shtab_bucket(KernelStruct):
    head: hlist_head
    lock: spinlock
class bpf_shtab_elem(KernelStruct):
    rcu: callback_head
    hash: u32
    sk: sock
    node: hlist_node
    key: array[u8, Literal[0]]
class bpf_sk_lookup(KernelStruct):
    sk: bpf_sock
    cookie: u64
    family: u32
    protocol: u32
    remote_ip4: u32
    remote_ip6: array[u32, Literal[4]]
    remote_port: u16
    local_ip4: u32
    local_ip6: array[u32, Literal[4]]
    local_port: u32
    ingress_ifindex: u32
class bpf_sk_lookup_kern(KernelStruct):
    family: u16
    protocol: u16
    sport: u16
    dport: u16
    class v4_t(KernelStruct):
        saddr: u32
        daddr: u32
    v4: v4_t
    class v6_t(KernelStruct):
        saddr: in6_addr
        daddr: in6_addr
    v6: v6_t
    selected_sk: sock
    ingress_ifindex: u32
    no_reuseport: bool
class bpf_sk_storage_diag(KernelStruct):
    nr_maps: u32
    maps: array[bpf_map, Literal[0]]
class bpf_skb_data_end(KernelStruct):
    qdisc_cb: qdisc_skb_cb
    data_meta: Any
    data_end: Any
class bpf_sock(KernelStruct):
    bound_dev_if: u32
    family: u32
    type: u32
    protocol: u32
    mark: u32
    priority: u32
    src_ip4: u32
    src_ip6: array[u32, Literal[4]]
    src_port: u32
    dst_port: u16
    dst_ip4: u32
    dst_ip6: array[u32, Literal[4]]
    state: u32
    rx_queue_mapping: i32
class bpf_sock_addr(KernelStruct):
    user_family: u32
    user_ip4: u32
    user_ip6: array[u32, Literal[4]]
    user_port: u32
    family: u32
    type: u32
    protocol: u32
    msg_src_ip4: u32
    msg_src_ip6: array[u32, Literal[4]]
    sk: bpf_sock
class bpf_sock_addr_kern(KernelStruct):
    sk: sock
    uaddr: sockaddr
    tmp_reg: u64
    t_ctx: Any
    uaddrlen: u32
class bpf_sock_ops(KernelStruct):
    op: u32
    args: array[u32, Literal[4]]
    reply: u32
    replylong: array[u32, Literal[4]]
    family: u32
    remote_ip4: u32
    local_ip4: u32
    remote_ip6: array[u32, Literal[4]]
    local_ip6: array[u32, Literal[4]]
    remote_port: u32
    local_port: u32
    is_fullsock: u32
    snd_cwnd: u32
    srtt_us: u32
    bpf_sock_ops_cb_flags: u32
    state: u32
    rtt_min: u32
    snd_ssthresh: u32
    rcv_nxt: u32
    snd_nxt: u32
    snd_una: u32
    mss_cache: u32
    ecn_flags: u32
    rate_delivered: u32
    rate_interval_us: u32
    packets_out: u32
    retrans_out: u32
    total_retrans: u32
    segs_in: u32
    data_segs_in: u32
    segs_out: u32
    data_segs_out: u32
    lost_out: u32
    sacked_out: u32
    sk_txhash: u32
    bytes_received: u64
    bytes_acked: u64
    sk: bpf_sock
    skb_data: Any
    skb_data_end: Any
    skb_len: u32
    skb_tcp_flags: u32
    skb_hwtstamp: u64
class bpf_sock_ops_kern(KernelStruct):
    sk: sock
    args: array[u32, Literal[4]]
    reply: u32
    replylong: array[u32, Literal[4]]
    syn_skb: sk_buff
    skb: sk_buff
    skb_data_end: Any
    op: u8
    is_fullsock: u8
    is_locked_tcp_sock: u8
    remaining_opt_len: u8
    temp: u64
class bpf_sock_tuple(KernelStruct):
    class ipv4_t(KernelStruct):
        saddr: u32
        daddr: u32
        sport: u16
        dport: u16
    ipv4: ipv4_t
    class ipv6_t(KernelStruct):
        saddr: array[u32, Literal[4]]
        daddr: array[u32, Literal[4]]
        sport: u16
        dport: u16
    ipv6: ipv6_t
class bpf_sockopt(KernelStruct):
    sk: bpf_sock
    optval: Any
    optval_end: Any
    level: i32
    optname: i32
    optlen: i32
    retval: i32
class bpf_sockopt_buf(KernelStruct):
    data: array[u8, Literal[32]]
class bpf_sockopt_kern(KernelStruct):
    sk: sock
    optval: ptr[u8]
    optval_end: ptr[u8]
    level: i32
    optname: i32
    optlen: i32
    current_task: task_struct
    tmp_reg: u64
class bpf_spin_lock(KernelStruct):
    val: u32
class bpf_stab(KernelStruct):
    map: bpf_map
    sks: Any
    progs: sk_psock_progs
    lock: spinlock
class bpf_stack_build_id(KernelStruct):
    status: i32
    build_id: array[u8, Literal[20]]
    offset: u64
    ip: u64
class bpf_stack_build_id_status(IntEnum):
    BPF_STACK_BUILD_ID_EMPTY = 0
    BPF_STACK_BUILD_ID_VALID = 1
    BPF_STACK_BUILD_ID_IP = 2
class bpf_stack_map(KernelStruct):
    map: bpf_map
    elems: Any
    freelist: pcpu_freelist
    n_buckets: u32
    buckets: array[stack_map_bucket, Literal[0]]
class bpf_stack_slot_type(IntEnum):
    STACK_INVALID = 0
    STACK_SPILL = 1
    STACK_MISC = 2
    STACK_ZERO = 3
    STACK_DYNPTR = 4
    STACK_ITER = 5
    STACK_IRQ_FLAG = 6
class bpf_stack_state(KernelStruct):
    spilled_ptr: bpf_reg_state
    slot_type: array[u8, Literal[8]]
class bpf_stats_type(IntEnum):
    BPF_STATS_RUN_TIME = 0
class bpf_storage_blob(KernelStruct):
    storage: bpf_local_storage
class bpf_storage_buffer(KernelStruct):
    rcu: callback_head
    data: array[char, Literal[0]]
class bpf_stream(KernelStruct):
    capacity: atomic_t
    log: llist_head
    lock: mutex
    backlog_head: llist_node
    backlog_tail: llist_node
class bpf_stream_elem(KernelStruct):
    node: llist_node
    total_len: i32
    consumed_len: i32
    str: array[char, Literal[0]]
class bpf_stream_id(IntEnum):
    BPF_STDOUT = 1
    BPF_STDERR = 2
class bpf_stream_page(KernelStruct):
    ref: refcount_struct
    consumed: u32
    buf: array[char, Literal[0]]
class bpf_stream_stage(KernelStruct):
    log: llist_head
    len: i32
class bpf_struct_ops(KernelStruct):
    ...
class bpf_struct_ops_arg_info(KernelStruct):
    info: bpf_ctx_arg_aux
    cnt: u32
class bpf_struct_ops_common_value(KernelStruct):
    refcnt: refcount_struct
    state: u32
class bpf_struct_ops_desc(KernelStruct):
    st_ops: bpf_struct_ops
    type: btf_type
    value_type: btf_type
    type_id: u32
    value_id: u32
    arg_info: bpf_struct_ops_arg_info
class bpf_struct_ops_link(KernelStruct):
    link: bpf_link
    map: bpf_map
    wait_hup: wait_queue_head
class bpf_struct_ops_map(KernelStruct):
    map: bpf_map
    st_ops_desc: bpf_struct_ops_desc
    lock: mutex
    links: Any
    ksyms: Any
    funcs_cnt: u32
    image_pages_cnt: u32
    image_pages: array[Any, Literal[8]]
    btf: _v.btf
    uvalue: bpf_struct_ops_value
    kvalue: bpf_struct_ops_value
class bpf_struct_ops_state(IntEnum):
    BPF_STRUCT_OPS_STATE_INIT = 0
    BPF_STRUCT_OPS_STATE_INUSE = 1
    BPF_STRUCT_OPS_STATE_TOBEFREE = 2
    BPF_STRUCT_OPS_STATE_READY = 3
class bpf_struct_ops_value(KernelStruct):
    common: bpf_struct_ops_common_value
    data: array[char, Literal[0]]
class bpf_struct_walk_result(IntEnum):
    WALK_SCALAR = 0
    WALK_PTR = 1
    WALK_PTR_UNTRUSTED = 2
    WALK_STRUCT = 3
class bpf_subprog_arg_info(KernelStruct):
    arg_type: u32
    mem_size: u32
    btf_id: u32
class bpf_subprog_info(KernelStruct):
    start: u32
    linfo_idx: u32
    postorder_start: u32
    stack_depth: u16
    stack_extra: u16
    fastcall_stack_off: i16
    has_tail_call: bool
    tail_call_reachable: bool
    has_ld_abs: bool
    is_cb: bool
    is_async_cb: bool
    is_exception_cb: bool
    args_cached: bool
    keep_fastcall_stack: bool
    changes_pkt_data: bool
    might_sleep: bool
    priv_stack_mode: u32
    arg_cnt: u8
    args: array[bpf_subprog_arg_info, Literal[5]]
class bpf_sysctl(KernelStruct):
    write: u32
    file_pos: u32
class bpf_sysctl_kern(KernelStruct):
    head: ctl_table_header
    table: ctl_table
    cur_val: Any
    cur_len: u64
    new_val: Any
    new_len: u64
    new_updated: i32
    write: i32
    ppos: ptr[i64]
    tmp_reg: u64
class bpf_task_fd_type(IntEnum):
    BPF_FD_TYPE_RAW_TRACEPOINT = 0
    BPF_FD_TYPE_TRACEPOINT = 1
    BPF_FD_TYPE_KPROBE = 2
    BPF_FD_TYPE_KRETPROBE = 3
    BPF_FD_TYPE_UPROBE = 4
    BPF_FD_TYPE_URETPROBE = 5
class bpf_task_vma_iter_find_op(IntEnum):
    task_vma_iter_first_vma = 0
    task_vma_iter_next_vma = 1
    task_vma_iter_find_vma = 2
class bpf_task_work(KernelStruct):
    __opaque: u64
class bpf_task_work_ctx(KernelStruct):
    state: u32
    refcnt: refcount_struct
    work: callback_head
    irq_work: _v.irq_work
    prog: bpf_prog
    task: task_struct
    map: bpf_map
    map_val: Any
    mode: u32
    callback_fn: Any
    rcu: callback_head
class bpf_task_work_kern(KernelStruct):
    ctx: bpf_task_work_ctx
class bpf_task_work_state(IntEnum):
    BPF_TW_STANDBY = 0
    BPF_TW_PENDING = 1
    BPF_TW_SCHEDULING = 2
    BPF_TW_SCHEDULED = 3
    BPF_TW_RUNNING = 4
    BPF_TW_FREED = 5
class bpf_tcp_iter_batch_item(KernelStruct):
    sk: sock
    cookie: u64
class bpf_tcp_iter_state(KernelStruct):
    state: tcp_iter_state
    cur_sk: u32
    end_sk: u32
    max_sk: u32
    batch: bpf_tcp_iter_batch_item
class bpf_tcp_req_attrs(KernelStruct):
    rcv_tsval: u32
    rcv_tsecr: u32
    mss: u16
    rcv_wscale: u8
    snd_wscale: u8
    ecn_ok: u8
    wscale_ok: u8
    sack_ok: u8
    tstamp_ok: u8
    usec_ts_ok: u8
    reserved: array[u8, Literal[3]]
class bpf_tcp_sock(KernelStruct):
    snd_cwnd: u32
    srtt_us: u32
    rtt_min: u32
    snd_ssthresh: u32
    rcv_nxt: u32
    snd_nxt: u32
    snd_una: u32
    mss_cache: u32
    ecn_flags: u32
    rate_delivered: u32
    rate_interval_us: u32
    packets_out: u32
    retrans_out: u32
    total_retrans: u32
    segs_in: u32
    data_segs_in: u32
    segs_out: u32
    data_segs_out: u32
    lost_out: u32
    sacked_out: u32
    bytes_received: u64
    bytes_acked: u64
    dsack_dups: u32
    delivered: u32
    delivered_ce: u32
    icsk_retransmits: u32
class bpf_text_poke_type(IntEnum):
    BPF_MOD_CALL = 0
    BPF_MOD_JUMP = 1
class bpf_throw_ctx(KernelStruct):
    aux: bpf_prog_aux
    sp: u64
    bp: u64
    cnt: i32
class bpf_timed_may_goto(KernelStruct):
    count: u64
    timestamp: u64
class bpf_timer(KernelStruct):
    __opaque: array[u64, Literal[2]]
class bpf_token(KernelStruct):
    work: work_struct
    refcnt: atomic64_t
    userns: user_namespace
    allowed_cmds: u64
    allowed_maps: u64
    allowed_progs: u64
    allowed_attachs: u64
    security: Any
class bpf_token_info(KernelStruct):
    allowed_cmds: u64
    allowed_maps: u64
    allowed_progs: u64
    allowed_attachs: u64
class bpf_trace_run_ctx(KernelStruct):
    run_ctx: bpf_run_ctx
    bpf_cookie: u64
    is_uprobe: bool
class bpf_trace_sample_data(KernelStruct):
    sds: array[perf_sample_data, Literal[3]]
class bpf_tracing_link(KernelStruct):
    link: bpf_tramp_link
    trampoline: bpf_trampoline
    tgt_prog: bpf_prog
class bpf_tramp_image(KernelStruct):
    image: Any
    size: i32
    ksym: bpf_ksym
    pcref: percpu_ref
    ip_after_call: Any
    ip_epilogue: Any
    rcu: callback_head
    work: work_struct
class bpf_tramp_link(KernelStruct):
    link: bpf_link
    tramp_hlist: hlist_node
    cookie: u64
class bpf_tramp_links(KernelStruct):
    links: array[bpf_tramp_link, Literal[38]]
    nr_links: i32
class bpf_tramp_prog_type(IntEnum):
    BPF_TRAMP_FENTRY = 0
    BPF_TRAMP_FEXIT = 1
    BPF_TRAMP_MODIFY_RETURN = 2
    BPF_TRAMP_MAX = 3
    BPF_TRAMP_REPLACE = 4
class bpf_tramp_run_ctx(KernelStruct):
    run_ctx: bpf_run_ctx
    bpf_cookie: u64
    saved_run_ctx: bpf_run_ctx
class bpf_trampoline(KernelStruct):
    hlist: hlist_node
    fops: ftrace_ops
    mutex: _v.mutex
    refcnt: refcount_struct
    flags: u32
    key: u64
    init_private: u8
    class func_t(KernelStruct):
        model: btf_func_model
        addr: Any
        ftrace_managed: bool
    func: func_t
    extension_prog: bpf_prog
    progs_hlist: array[hlist_head, Literal[3]]
    progs_cnt: array[i32, Literal[3]]
    cur_image: bpf_tramp_image
class bpf_tunnel_key(KernelStruct):
    tunnel_id: u32
    remote_ipv4: u32
    remote_ipv6: array[u32, Literal[4]]
    tunnel_tos: u8
    tunnel_ttl: u8
    tunnel_ext: u16
    tunnel_flags: u16
    tunnel_label: u32
    local_ipv4: u32
    local_ipv6: array[u32, Literal[4]]
class bpf_tuple(KernelStruct):
    prog: bpf_prog
    link: bpf_link
class bpf_type(IntEnum):
    BPF_TYPE_UNSPEC = 0
    BPF_TYPE_PROG = 1
    BPF_TYPE_MAP = 2
    BPF_TYPE_LINK = 3
class bpf_type_flag(IntEnum):
    PTR_MAYBE_NULL = 256
    MEM_RDONLY = 512
    MEM_RINGBUF = 1024
    MEM_USER = 2048
    MEM_PERCPU = 4096
    OBJ_RELEASE = 8192
    PTR_UNTRUSTED = 16384
    MEM_UNINIT = 32768
    DYNPTR_TYPE_LOCAL = 65536
    DYNPTR_TYPE_RINGBUF = 131072
    MEM_FIXED_SIZE = 262144
    MEM_ALLOC = 524288
    PTR_TRUSTED = 1048576
    MEM_RCU = 2097152
    NON_OWN_REF = 4194304
    DYNPTR_TYPE_SKB = 8388608
    DYNPTR_TYPE_XDP = 16777216
    MEM_ALIGNED = 33554432
    MEM_WRITE = 67108864
    DYNPTR_TYPE_SKB_META = 134217728
    __BPF_TYPE_FLAG_MAX = 134217729
    __BPF_TYPE_LAST_FLAG = 134217728
class bpf_udp_iter_batch_item(KernelStruct):
    sk: sock
    cookie: u64
class bpf_udp_iter_state(KernelStruct):
    state: udp_iter_state
    cur_sk: u32
    end_sk: u32
    max_sk: u32
    batch: bpf_udp_iter_batch_item
class bpf_unix_iter_state(KernelStruct):
    p: seq_net_private
    cur_sk: u32
    end_sk: u32
    max_sk: u32
    batch: Any
    st_bucket_done: bool
class bpf_uprobe(KernelStruct):
    link: bpf_uprobe_multi_link
    offset: i64
    ref_ctr_offset: u64
    cookie: u64
    uprobe: _v.uprobe
    consumer: uprobe_consumer
    session: bool
class bpf_uprobe_multi_link(KernelStruct):
    path: _v.path
    link: bpf_link
    cnt: u32
    uprobes: bpf_uprobe
    task: task_struct
class bpf_uprobe_multi_run_ctx(KernelStruct):
    session_ctx: bpf_session_run_ctx
    entry_ip: u64
    uprobe: bpf_uprobe
bpf_user_pt_regs_t: TypeAlias = pt_regs
class bpf_verifier_log(KernelStruct):
    ...
class bpf_verifier_state(KernelStruct):
    frame: array[bpf_func_state, Literal[8]]
    parent: bpf_verifier_state
    refs: bpf_reference_state
    branches: u32
    insn_idx: u32
    curframe: u32
    acquired_refs: u32
    active_locks: u32
    active_preempt_locks: u32
    active_irq_id: u32
    active_lock_id: u32
    active_lock_ptr: Any
    active_rcu_lock: bool
    speculative: bool
    in_sleepable: bool
    cleaned: bool
    first_insn_idx: u32
    last_insn_idx: u32
    equal_state: bpf_verifier_state
    jmp_history: bpf_jmp_history_entry
    jmp_history_cnt: u32
    dfs_depth: u32
    callback_unroll_depth: u32
    may_goto_depth: u32
class bpf_work(KernelStruct):
    cb: bpf_async_cb
    work: work_struct
    delete_work: work_struct
class bpf_wq(KernelStruct):
    __opaque: array[u64, Literal[2]]
class bpf_xdp_entity(KernelStruct):
    prog: bpf_prog
    link: bpf_xdp_link
class bpf_xdp_link(KernelStruct):
    link: bpf_link
    dev: net_device
    flags: i32
class bpf_xdp_mode(IntEnum):
    XDP_MODE_SKB = 0
    XDP_MODE_DRV = 1
    XDP_MODE_HW = 2
    __MAX_XDP_MODE = 3
class bpf_xdp_sock(KernelStruct):
    queue_id: u32
class bpf_xfrm_state(KernelStruct):
    reqid: u32
    spi: u32
    family: u16
    ext: u16
    remote_ipv4: u32
    remote_ipv6: array[u32, Literal[4]]
class bpf_xfrm_state_opts(KernelStruct):
    error: i32
    netns_id: i32
    mark: u32
    daddr: xfrm_address_t
    spi: u32
    proto: u8
    family: u16
class bpfptr_t(KernelStruct):
    kernel: Any
    user: Any
    is_kernel: bool
class btf(KernelStruct):
    data: Any
    init_private: u8
    types: Any
    resolved_ids: ptr[u32]
    resolved_sizes: ptr[u32]
    strings: ptr[u8]
    nohdr_data: Any
    hdr: btf_header
    nr_types: u32
    types_size: u32
    data_size: u32
    refcnt: refcount_struct
    id: u32
    rcu: callback_head
    kfunc_set_tab: btf_kfunc_set_tab
    dtor_kfunc_tab: btf_id_dtor_kfunc_tab
    struct_meta_tab: btf_struct_metas
    struct_ops_tab: btf_struct_ops_tab
    base_btf: btf
    start_id: u32
    start_str_off: u32
    name: array[char, Literal[56]]
    kernel_btf: bool
    base_id_map: ptr[u32]
class btf_enum(KernelStruct):
    name_off: u32
    val: i32
class btf_field(KernelStruct):
    offset: u32
    size: u32
    type: u32
    kptr: btf_field_kptr
    graph_root: btf_field_graph_root
class btf_field_graph_root(KernelStruct):
    btf: _v.btf
    value_btf_id: u32
    node_offset: u32
    value_rec: btf_record
class btf_field_kptr(KernelStruct):
    btf: _v.btf
    module: _v.module
    dtor: Any
    btf_id: u32
class btf_field_type(IntEnum):
    BPF_SPIN_LOCK = 1
    BPF_TIMER = 2
    BPF_KPTR_UNREF = 4
    BPF_KPTR_REF = 8
    BPF_KPTR_PERCPU = 16
    BPF_KPTR = 28
    BPF_LIST_HEAD = 32
    BPF_LIST_NODE = 64
    BPF_RB_ROOT = 128
    BPF_RB_NODE = 256
    BPF_GRAPH_NODE = 320
    BPF_GRAPH_ROOT = 160
    BPF_REFCOUNT = 512
    BPF_WORKQUEUE = 1024
    BPF_UPTR = 2048
    BPF_RES_SPIN_LOCK = 4096
    BPF_TASK_WORK = 8192
class btf_func_model(KernelStruct):
    ret_size: u8
    ret_flags: u8
    nr_args: u8
    arg_size: array[u8, Literal[12]]
    arg_flags: array[u8, Literal[12]]
class btf_header(KernelStruct):
    magic: u16
    version: u8
    flags: u8
    hdr_len: u32
    type_off: u32
    type_len: u32
    str_off: u32
    str_len: u32
class btf_id_dtor_kfunc_tab(KernelStruct):
    ...
class btf_kfunc_set_tab(KernelStruct):
    ...
class btf_mod_pair(KernelStruct):
    btf: _v.btf
    module: _v.module
class btf_record(KernelStruct):
    cnt: u32
    field_mask: u32
    spin_lock_off: i32
    res_spin_lock_off: i32
    timer_off: i32
    wq_off: i32
    refcount_off: i32
    task_work_off: i32
    fields: array[btf_field, Literal[0]]
class btf_struct_meta(KernelStruct):
    ...
class btf_struct_metas(KernelStruct):
    ...
class btf_struct_ops_tab(KernelStruct):
    ...
class btf_type(KernelStruct):
    name_off: u32
    info: u32
    size: u32
    type: u32
class bucket(KernelStruct):
    ...
class bucket_table(KernelStruct):
    ...
class buffer_head(KernelStruct):
    ...
class bug_entry(KernelStruct):
    ...
class bus_dma_region(KernelStruct):
    ...
class bus_type(KernelStruct):
    ...
class bvec_iter(KernelStruct):
    bi_sector: u64
    bi_size: u32
    bi_idx: u32
    bi_bvec_done: u32
class cacheline_padding(KernelStruct):
    x: array[char, Literal[0]]
call_single_data_t: TypeAlias = __call_single_data
class callback_head(KernelStruct):
    next: callback_head
    func: Any
class capture_control(KernelStruct):
    cc: compact_control
    page: _v.page
cc_t: TypeAlias = u8
class cdev(KernelStruct):
    kobj: kobject
    owner: module
    ops: file_operations
    list: list_head
    dev: u32
    count: u32
class cfs_bandwidth(KernelStruct):
    lock: raw_spinlock
    period: i64
    quota: u64
    runtime: u64
    burst: u64
    runtime_snap: u64
    hierarchical_quota: i64
    idle: u8
    period_active: u8
    slack_started: u8
    period_timer: hrtimer
    slack_timer: hrtimer
    throttled_cfs_rq: list_head
    nr_periods: i32
    nr_throttled: i32
    nr_burst: i32
    throttled_time: u64
    burst_time: u64
class cfs_rq(KernelStruct):
    load: load_weight
    nr_queued: u32
    h_nr_queued: u32
    h_nr_runnable: u32
    h_nr_idle: u32
    sum_w_vruntime: i64
    sum_weight: u64
    zero_vruntime: u64
    tasks_timeline: rb_root_cached
    curr: sched_entity
    next: sched_entity
    avg: sched_avg
    class removed_t(KernelStruct):
        lock: raw_spinlock
        nr: i32
        load_avg: u64
        util_avg: u64
        runnable_avg: u64
    removed: removed_t
    last_update_tg_load_avg: u64
    tg_load_avg_contrib: u64
    propagate: i64
    prop_runnable_sum: i64
    h_load: u64
    last_h_load_update: u64
    h_load_next: sched_entity
    rq: _v.rq
    on_list: i32
    leaf_cfs_rq_list: list_head
    tg: task_group
    idle: i32
    runtime_enabled: i32
    runtime_remaining: i64
    throttled_pelt_idle: u64
    throttled_clock: u64
    throttled_clock_pelt: u64
    throttled_clock_pelt_time: u64
    throttled_clock_self: u64
    throttled_clock_self_time: u64
    throttled: bool
    pelt_clock_throttled: bool
    throttle_count: i32
    throttled_list: list_head
    throttled_csd_list: list_head
    throttled_limbo_list: list_head
class cgroup(KernelStruct):
    self: cgroup_subsys_state
    flags: u64
    level: i32
    max_depth: i32
    nr_descendants: i32
    nr_dying_descendants: i32
    max_descendants: i32
    nr_populated_csets: i32
    nr_populated_domain_children: i32
    nr_populated_threaded_children: i32
    nr_threaded_children: i32
    kill_seq: u32
    kn: kernfs_node
    procs_file: cgroup_file
    events_file: cgroup_file
    psi_files: array[cgroup_file, Literal[3]]
    subtree_control: u16
    subtree_ss_mask: u16
    old_subtree_control: u16
    old_subtree_ss_mask: u16
    subsys: array[cgroup_subsys_state, Literal[12]]
    nr_dying_subsys: array[i32, Literal[12]]
    root: cgroup_root
    cset_links: list_head
    e_csets: array[list_head, Literal[12]]
    dom_cgrp: cgroup
    old_dom_cgrp: cgroup
    rstat_base_cpu: cgroup_rstat_base_cpu
    _pad_: cacheline_padding
    last_bstat: cgroup_base_stat
    bstat: cgroup_base_stat
    prev_cputime: _v.prev_cputime
    pidlists: list_head
    pidlist_mutex: mutex
    offline_waitq: wait_queue_head
    release_agent_work: work_struct
    psi: psi_group
    bpf: cgroup_bpf
    freezer: cgroup_freezer_state
    bpf_cgrp_storage: bpf_local_storage
    ancestors: array[cgroup, Literal[0]]
class cgroup_base_stat(KernelStruct):
    cputime: task_cputime
    ntime: u64
class cgroup_bpf(KernelStruct):
    effective: array[bpf_prog_array, Literal[38]]
    progs: array[hlist_head, Literal[38]]
    flags: array[u8, Literal[38]]
    revisions: array[u64, Literal[38]]
    storages: list_head
    inactive: bpf_prog_array
    refcnt: percpu_ref
    release_work: work_struct
class cgroup_file(KernelStruct):
    kn: kernfs_node
    notified_at: u64
    notify_timer: timer_list
class cgroup_freezer_state(KernelStruct):
    freeze: bool
    e_freeze: bool
    nr_frozen_descendants: i32
    nr_frozen_tasks: i32
    freeze_seq: seqcount_spinlock
    freeze_start_nsec: u64
    frozen_nsec: u64
class cgroup_namespace(KernelStruct):
    ns: ns_common
    user_ns: user_namespace
    ucounts: _v.ucounts
    root_cset: css_set
class cgroup_root(KernelStruct):
    kf_root: kernfs_root
    subsys_mask: u32
    hierarchy_id: i32
    root_list: list_head
    rcu: callback_head
    cgrp: cgroup
    cgrp_ancestor_storage: cgroup
    nr_cgrps: atomic_t
    flags: u32
    release_agent_path: array[char, Literal[4096]]
    name: array[char, Literal[64]]
class cgroup_rstat_base_cpu(KernelStruct):
    bsync: u64_stats_sync
    bstat: cgroup_base_stat
    last_bstat: cgroup_base_stat
    subtree_bstat: cgroup_base_stat
    last_subtree_bstat: cgroup_base_stat
class cgroup_subsys(KernelStruct):
    ...
class cgroup_subsys_id(IntEnum):
    cpuset_cgrp_id = 0
    cpu_cgrp_id = 1
    cpuacct_cgrp_id = 2
    io_cgrp_id = 3
    memory_cgrp_id = 4
    devices_cgrp_id = 5
    freezer_cgrp_id = 6
    net_cls_cgrp_id = 7
    perf_event_cgrp_id = 8
    net_prio_cgrp_id = 9
    hugetlb_cgrp_id = 10
    pids_cgrp_id = 11
    CGROUP_SUBSYS_COUNT = 12
class cgroup_subsys_state(KernelStruct):
    cgroup: _v.cgroup
    ss: cgroup_subsys
    refcnt: percpu_ref
    rstat_cpu: css_rstat_cpu
    sibling: list_head
    children: list_head
    id: i32
    flags: u32
    serial_nr: u64
    online_cnt: atomic_t
    destroy_work: work_struct
    destroy_rwork: rcu_work
    parent: cgroup_subsys_state
    nr_descendants: i32
    rstat_flush_next: cgroup_subsys_state
class_thermal_zone_get_by_id_t: TypeAlias = thermal_zone_device
clockid_t: TypeAlias = i32
class compact_control(KernelStruct):
    ...
class compat_fsid_t(KernelStruct):
    val: array[i32, Literal[2]]
compat_ipc_pid_t: TypeAlias = u16
compat_long_t: TypeAlias = i32
compat_pid_t: TypeAlias = i32
class compat_robust_list(KernelStruct):
    next: u32
class compat_robust_list_head(KernelStruct):
    list: compat_robust_list
    futex_offset: i32
    list_op_pending: u32
compat_size_t: TypeAlias = u32
compat_ssize_t: TypeAlias = i32
compat_uptr_t: TypeAlias = u32
class completion(KernelStruct):
    done: u32
    wait: swait_queue_head
class core_state(KernelStruct):
    nr_threads: atomic_t
    dumper: core_thread
    startup: completion
class core_thread(KernelStruct):
    task: task_struct
    next: core_thread
class coredump_params(KernelStruct):
    ...
class cpu_itimer(KernelStruct):
    expires: u64
    incr: u64
class cpu_rmap(KernelStruct):
    refcount: kref
    size: u16
    obj: Any
    near: array[Any, Literal[0]]
class cpu_stop_done(KernelStruct):
    ...
class cpu_stop_work(KernelStruct):
    list: list_head
    fn: Any
    caller: u64
    arg: Any
    done: cpu_stop_done
class cpudl(KernelStruct):
    lock: raw_spinlock
    size: i32
    free_cpus: array[cpumask, Literal[1]]
    elements: cpudl_item
class cpudl_item(KernelStruct):
    ...
class cpuidle_device(KernelStruct):
    ...
class cpuidle_driver(KernelStruct):
    ...
class cpuidle_state(KernelStruct):
    name: array[char, Literal[16]]
    desc: array[char, Literal[32]]
    exit_latency_ns: i64
    target_residency_ns: i64
    flags: u32
    exit_latency: u32
    power_usage: i32
    target_residency: u32
    enter: Any
    enter_dead: Any
    enter_s2idle: Any
class cpumap(KernelStruct):
    ...
class cpumask(KernelStruct):
    bits: array[u64, Literal[4]]
cpumask_t: TypeAlias = cpumask
cpumask_var_t: TypeAlias = array[cpumask, Literal[1]]
class cpupri(KernelStruct):
    pri_to_cpu: array[cpupri_vec, Literal[101]]
    cpu_to_pri: ptr[i32]
class cpupri_vec(KernelStruct):
    count: atomic_t
    mask: array[cpumask, Literal[1]]
class cred(KernelStruct):
    usage: atomic_long_t
    uid: kuid_t
    gid: kgid_t
    suid: kuid_t
    sgid: kgid_t
    euid: kuid_t
    egid: kgid_t
    fsuid: kuid_t
    fsgid: kgid_t
    securebits: u32
    cap_inheritable: kernel_cap_t
    cap_permitted: kernel_cap_t
    cap_effective: kernel_cap_t
    cap_bset: kernel_cap_t
    cap_ambient: kernel_cap_t
    jit_keyring: u8
    session_keyring: key
    process_keyring: key
    thread_keyring: key
    request_key_auth: key
    security: Any
    user: user_struct
    user_ns: user_namespace
    ucounts: _v.ucounts
    group_info: _v.group_info
    non_rcu: i32
    rcu: callback_head
class css_rstat_cpu(KernelStruct):
    ...
class css_set(KernelStruct):
    subsys: array[cgroup_subsys_state, Literal[12]]
    refcount: refcount_struct
    dom_cset: css_set
    dfl_cgrp: cgroup
    nr_tasks: i32
    tasks: list_head
    mg_tasks: list_head
    dying_tasks: list_head
    task_iters: list_head
    e_cset_node: array[list_head, Literal[12]]
    threaded_csets: list_head
    threaded_csets_node: list_head
    hlist: hlist_node
    cgrp_links: list_head
    mg_src_preload_node: list_head
    mg_dst_preload_node: list_head
    mg_node: list_head
    mg_src_cgrp: cgroup
    mg_dst_cgrp: cgroup
    mg_dst_cset: css_set
    dead: bool
    callback_head: _v.callback_head
class css_task_iter(KernelStruct):
    ...
class ctl_dir(KernelStruct):
    header: ctl_table_header
    root: rb_root
class ctl_node(KernelStruct):
    ...
class ctl_table(KernelStruct):
    procname: ptr[u8]
    data: Any
    maxlen: i32
    mode: u16
    proc_handler: Any
    poll: ctl_table_poll
    extra1: Any
    extra2: Any
class ctl_table_header(KernelStruct):
    ctl_table: _v.ctl_table
    ctl_table_size: i32
    used: i32
    count: i32
    nreg: i32
    rcu: callback_head
    unregistering: completion
    ctl_table_arg: _v.ctl_table
    root: ctl_table_root
    set: ctl_table_set
    parent: ctl_dir
    node: ctl_node
    inodes: hlist_head
    type: u32
class ctl_table_poll(KernelStruct):
    ...
class ctl_table_root(KernelStruct):
    ...
class ctl_table_set(KernelStruct):
    is_seen: Any
    dir: ctl_dir
class dcbnl_rtnl_ops(KernelStruct):
    ...
class deferred_split(KernelStruct):
    split_queue_lock: spinlock
    split_queue: list_head
    split_queue_len: u64
class delayed_call(KernelStruct):
    fn: Any
    arg: Any
class delayed_work(KernelStruct):
    work: work_struct
    timer: timer_list
    wq: workqueue_struct
    cpu: i32
class dentry(KernelStruct):
    d_flags: u32
    d_seq: seqcount_spinlock
    d_hash: hlist_bl_node
    d_parent: dentry
    __d_name: qstr
    d_name: qstr
    d_inode: inode
    d_shortname: shortname_store
    d_op: dentry_operations
    d_sb: super_block
    d_time: u64
    d_fsdata: Any
    d_lockref: lockref
    d_lru: list_head
    d_wait: wait_queue_head
    d_sib: hlist_node
    d_children: hlist_head
    class d_u_t(KernelStruct):
        d_alias: hlist_node
        d_in_lookup_hash: hlist_bl_node
        d_rcu: callback_head
    d_u: d_u_t
class dentry_operations(KernelStruct):
    ...
class desc_struct(KernelStruct):
    limit0: u16
    base0: u16
    base1: u16
    type: u16
    s: u16
    dpl: u16
    p: u16
    limit1: u16
    avl: u16
    l: u16
    d: u16
    g: u16
    base2: u16
class dev_archdata(KernelStruct):
    ...
class dev_ifalias(KernelStruct):
    rcuhead: callback_head
    ifalias: array[char, Literal[0]]
class dev_iommu(KernelStruct):
    ...
class dev_links_info(KernelStruct):
    suppliers: list_head
    consumers: list_head
    defer_sync: list_head
    status: u32
class dev_msi_info(KernelStruct):
    domain: irq_domain
    data: msi_device_data
class dev_pagemap(KernelStruct):
    altmap: vmem_altmap
    ref: percpu_ref
    done: completion
    type: u32
    flags: u32
    vmemmap_shift: u64
    ops: dev_pagemap_ops
    owner: Any
    nr_range: i32
    range: _v.range
    class __empty_ranges_t(KernelStruct):
        ...
    __empty_ranges: __empty_ranges_t
    ranges: array[_v.range, Literal[0]]
class dev_pagemap_ops(KernelStruct):
    ...
class dev_pm_domain(KernelStruct):
    ...
class dev_pm_info(KernelStruct):
    power_state: pm_message
    can_wakeup: bool
    async_suspend: bool
    in_dpm_list: bool
    is_prepared: bool
    is_suspended: bool
    is_noirq_suspended: bool
    is_late_suspended: bool
    no_pm: bool
    early_init: bool
    direct_complete: bool
    driver_flags: u32
    lock: spinlock
    should_wakeup: bool
    suspend_timer: hrtimer
    timer_expires: u64
    work: work_struct
    wait_queue: wait_queue_head
    wakeirq: wake_irq
    usage_count: atomic_t
    child_count: atomic_t
    disable_depth: u32
    idle_notification: bool
    request_pending: bool
    deferred_resume: bool
    needs_force_resume: bool
    runtime_auto: bool
    ignore_children: bool
    no_callbacks: bool
    irq_safe: bool
    use_autosuspend: bool
    timer_autosuspends: bool
    memalloc_noio: bool
    links_count: u32
    request: u32
    runtime_status: i32
    last_status: i32
    runtime_error: i32
    autosuspend_delay: i32
    last_busy: u64
    active_time: u64
    suspended_time: u64
    accounting_timestamp: u64
    subsys_data: pm_subsys_data
    set_latency_tolerance: Any
    qos: dev_pm_qos
    detach_power_off: bool
class dev_pm_qos(KernelStruct):
    ...
dev_t: TypeAlias = u32
class device(KernelStruct):
    kobj: kobject
    parent: device
    p: device_private
    init_name: ptr[u8]
    type: device_type
    bus: bus_type
    driver: device_driver
    platform_data: Any
    driver_data: Any
    class driver_override_t(KernelStruct):
        name: ptr[u8]
        lock: spinlock
    driver_override: driver_override_t
    mutex: _v.mutex
    links: dev_links_info
    power: dev_pm_info
    pm_domain: dev_pm_domain
    msi: dev_msi_info
    dma_mask: ptr[u64]
    coherent_dma_mask: u64
    bus_dma_limit: u64
    dma_range_map: bus_dma_region
    dma_parms: device_dma_parameters
    dma_pools: list_head
    dma_io_tlb_mem: io_tlb_mem
    archdata: dev_archdata
    of_node: device_node
    fwnode: fwnode_handle
    numa_node: i32
    devt: u32
    id: u32
    devres_lock: spinlock
    devres_head: list_head
    class_: Any
    groups: Any
    release: Any
    iommu_group: _v.iommu_group
    iommu: dev_iommu
    physical_location: device_physical_location
    removable: u32
    offline_disabled: bool
    offline: bool
    of_node_reused: bool
    state_synced: bool
    can_match: bool
    dma_skip_sync: bool
    dma_iommu: bool
    flags: array[u64, Literal[1]]
class device_attribute(KernelStruct):
    ...
class device_dma_parameters(KernelStruct):
    ...
class device_driver(KernelStruct):
    ...
class device_link(KernelStruct):
    ...
class device_node(KernelStruct):
    ...
class device_physical_location(KernelStruct):
    ...
class device_private(KernelStruct):
    ...
class device_removable(IntEnum):
    DEVICE_REMOVABLE_NOT_SUPPORTED = 0
    DEVICE_REMOVABLE_UNKNOWN = 1
    DEVICE_FIXED = 2
    DEVICE_REMOVABLE = 3
class device_type(KernelStruct):
    ...
class devlink_port(KernelStruct):
    list: list_head
    region_list: list_head
    devlink: Any
    ops: devlink_port_ops
    index: u32
    type_lock: spinlock
    type: u32
    desired_type: u32
    class type_eth_t(KernelStruct):
        netdev: net_device
        ifindex: i32
        ifname: array[char, Literal[16]]
    type_eth: type_eth_t
    class type_ib_t(KernelStruct):
        ibdev: Any
    type_ib: type_ib_t
    attrs: devlink_port_attrs
    attrs_set: u8
    switch_port: u8
    registered: u8
    initialized: u8
    type_warn_dw: delayed_work
    reporter_list: list_head
    devlink_rate: _v.devlink_rate
    linecard: Any
    rel_index: u32
class devlink_port_attrs(KernelStruct):
    split: u8
    splittable: u8
    no_phys_port_name: u8
    lanes: u32
    flavour: u32
    switch_id: netdev_phys_item_id
    phys: devlink_port_phys_attrs
    pci_pf: devlink_port_pci_pf_attrs
    pci_vf: devlink_port_pci_vf_attrs
    pci_sf: devlink_port_pci_sf_attrs
class devlink_port_flavour(IntEnum):
    DEVLINK_PORT_FLAVOUR_PHYSICAL = 0
    DEVLINK_PORT_FLAVOUR_CPU = 1
    DEVLINK_PORT_FLAVOUR_DSA = 2
    DEVLINK_PORT_FLAVOUR_PCI_PF = 3
    DEVLINK_PORT_FLAVOUR_PCI_VF = 4
    DEVLINK_PORT_FLAVOUR_VIRTUAL = 5
    DEVLINK_PORT_FLAVOUR_UNUSED = 6
    DEVLINK_PORT_FLAVOUR_PCI_SF = 7
class devlink_port_ops(KernelStruct):
    ...
class devlink_port_pci_pf_attrs(KernelStruct):
    controller: u32
    pf: u16
    external: u8
class devlink_port_pci_sf_attrs(KernelStruct):
    controller: u32
    sf: u32
    pf: u16
    external: u8
class devlink_port_pci_vf_attrs(KernelStruct):
    controller: u32
    pf: u16
    vf: u16
    external: u8
class devlink_port_phys_attrs(KernelStruct):
    port_number: u32
    split_subport_number: u32
class devlink_port_type(IntEnum):
    DEVLINK_PORT_TYPE_NOTSET = 0
    DEVLINK_PORT_TYPE_AUTO = 1
    DEVLINK_PORT_TYPE_ETH = 2
    DEVLINK_PORT_TYPE_IB = 3
class devlink_rate(KernelStruct):
    ...
class dim_cq_moder(KernelStruct):
    ...
class dim_irq_moder(KernelStruct):
    profile_flags: u8
    coal_flags: u8
    dim_rx_mode: u8
    dim_tx_mode: u8
    rx_profile: dim_cq_moder
    tx_profile: dim_cq_moder
    rx_dim_work: Any
    tx_dim_work: Any
class disk_events(KernelStruct):
    node: list_head
    disk: gendisk
    lock: spinlock
    block_mutex: mutex
    block: i32
    pending: u32
    clearing: u32
    poll_msecs: i64
    dwork: delayed_work
class disk_stats(KernelStruct):
    nsecs: array[u64, Literal[4]]
    sectors: array[u64, Literal[4]]
    ios: array[u64, Literal[4]]
    merges: array[u64, Literal[4]]
    io_ticks: u64
    in_flight: array[local_t, Literal[2]]
class dl_bw(KernelStruct):
    lock: raw_spinlock
    bw: u64
    total_bw: u64
class dl_dev_state(IntEnum):
    DL_DEV_NO_DRIVER = 0
    DL_DEV_PROBING = 1
    DL_DEV_DRIVER_BOUND = 2
    DL_DEV_UNBINDING = 3
class dl_rq(KernelStruct):
    root: rb_root_cached
    dl_nr_running: u32
    class earliest_dl_t(KernelStruct):
        curr: u64
        next: u64
    earliest_dl: earliest_dl_t
    overloaded: bool
    pushable_dl_tasks_root: rb_root_cached
    running_bw: u64
    this_bw: u64
    extra_bw: u64
    max_bw: u64
    bw_ratio: u64
dma_addr_t: TypeAlias = u64
class dma_buf(KernelStruct):
    ...
class dma_data_direction(IntEnum):
    DMA_BIDIRECTIONAL = 0
    DMA_TO_DEVICE = 1
    DMA_FROM_DEVICE = 2
    DMA_NONE = 3
class dql(KernelStruct):
    num_queued: u32
    adj_limit: u32
    last_obj_cnt: u32
    stall_thrs: u16
    history_head: u64
    history: array[u64, Literal[4]]
    limit: u32
    num_completed: u32
    prev_ovlimit: u32
    prev_num_queued: u32
    prev_last_obj_cnt: u32
    lowest_slack: u32
    slack_start_time: u64
    max_limit: u32
    min_limit: u32
    slack_hold_time: u32
    stall_max: u16
    last_reap: u64
    stall_cnt: u64
class dquot_operations(KernelStruct):
    ...
dscp_t: TypeAlias = u8
class dst_entry(KernelStruct):
    dev: net_device
    dev_rcu: net_device
    ops: dst_ops
    _metrics: u64
    expires: u64
    xfrm: xfrm_state
    input: Any
    output: Any
    flags: u16
    obsolete: i16
    header_len: u16
    trailer_len: u16
    __rcuref: rcuref_t
    __use: i32
    lastuse: u64
    callback_head: _v.callback_head
    error: i16
    __pad: i16
    tclassid: u32
    dev_tracker: netdevice_tracker
    rt_uncached: list_head
    rt_uncached_list: uncached_list
    lwtstate: lwtunnel_state
class dst_metrics(KernelStruct):
    metrics: array[u32, Literal[17]]
    refcnt: refcount_struct
class dst_ops(KernelStruct):
    family: u16
    gc_thresh: u32
    gc: Any
    check: Any
    default_advmss: Any
    mtu: Any
    cow_metrics: Any
    destroy: Any
    ifdown: Any
    negative_advice: Any
    link_failure: Any
    update_pmtu: Any
    redirect: Any
    local_out: Any
    neigh_lookup: Any
    confirm_neigh: Any
    kmem_cachep: kmem_cache
    pcpuc_entries: percpu_counter
class eee_config(KernelStruct):
    tx_lpi_timer: u32
    tx_lpi_enabled: bool
    eee_enabled: bool
class efi_guid_t(KernelStruct):
    b: array[u8, Literal[16]]
class elevator_queue(KernelStruct):
    type: elevator_type
    et: elevator_tags
    elevator_data: Any
    kobj: kobject
    sysfs_lock: mutex
    flags: u64
    hash: array[hlist_head, Literal[64]]
class elevator_tags(KernelStruct):
    ...
class elevator_type(KernelStruct):
    ...
class elf64_sym(KernelStruct):
    ...
erofs_nid_t: TypeAlias = u64
errseq_t: TypeAlias = u32
class erspan_md2(KernelStruct):
    timestamp: u32
    sgt: u16
    hwid_upper: u8
    ft: u8
    p: u8
    o: u8
    gra: u8
    dir: u8
    hwid: u8
class erspan_metadata(KernelStruct):
    version: i32
    class u_t(KernelStruct):
        index: u32
        md2: erspan_md2
    u: u_t
class ethhdr(KernelStruct):
    h_dest: array[u8, Literal[6]]
    h_source: array[u8, Literal[6]]
    h_proto: u16
class ethtool_netdev_state(KernelStruct):
    rss_ctx: xarray
    rss_lock: mutex
    wol_enabled: u32
    module_fw_flash_in_progress: u32
class ethtool_ops(KernelStruct):
    ...
class event_filter(KernelStruct):
    prog: prog_entry
    filter_string: ptr[u8]
class exception_table_entry(KernelStruct):
    insn: i32
    fixup: i32
    data: i32
class export_operations(KernelStruct):
    ...
class fastopen_queue(KernelStruct):
    rskq_rst_head: request_sock
    rskq_rst_tail: request_sock
    lock: spinlock
    qlen: i32
    max_qlen: i32
    ctx: tcp_fastopen_context
class fasync_struct(KernelStruct):
    fa_lock: rwlock_t
    magic: i32
    fa_fd: i32
    fa_next: fasync_struct
    fa_file: file
    fa_rcu: callback_head
class fdtable(KernelStruct):
    max_fds: u32
    fd: Any
    close_on_exec: ptr[u64]
    open_fds: ptr[u64]
    full_fds_bits: ptr[u64]
    rcu: callback_head
class fib6_info(KernelStruct):
    fib6_table: _v.fib6_table
    fib6_next: fib6_info
    fib6_node: _v.fib6_node
    fib6_siblings: list_head
    nh_list: list_head
    fib6_nsiblings: u32
    fib6_ref: refcount_struct
    expires: u64
    gc_link: hlist_node
    fib6_metrics: dst_metrics
    fib6_dst: rt6key
    fib6_flags: u32
    fib6_src: rt6key
    fib6_prefsrc: rt6key
    fib6_metric: u32
    fib6_protocol: u8
    fib6_type: u8
    offload: u8
    trap: u8
    offload_failed: u8
    should_flush: u8
    dst_nocount: u8
    dst_nopolicy: u8
    fib6_destroying: u8
    unused: u8
    purge_link: list_head
    rcu: callback_head
    nh: nexthop
    fib6_nh: array[_v.fib6_nh, Literal[0]]
class fib6_nh(KernelStruct):
    nh_common: fib_nh_common
    last_probe: u64
    rt6i_pcpu: Any
    rt6i_exception_bucket: rt6_exception_bucket
class fib6_node(KernelStruct):
    parent: fib6_node
    left: fib6_node
    right: fib6_node
    subtree: fib6_node
    leaf: fib6_info
    fn_bit: u16
    fn_flags: u16
    fn_sernum: i32
    rr_ptr: fib6_info
    rcu: callback_head
class fib6_table(KernelStruct):
    tb6_hlist: hlist_node
    tb6_id: u32
    tb6_lock: spinlock
    tb6_root: fib6_node
    tb6_peers: inet_peer_base
    flags: u32
    fib_seq: u32
    tb6_gc_hlist: hlist_head
class fib_nh_common(KernelStruct):
    nhc_dev: net_device
    nhc_dev_tracker: netdevice_tracker
    nhc_oif: i32
    nhc_scope: u8
    nhc_family: u8
    nhc_gw_family: u8
    nhc_flags: u8
    nhc_lwtstate: lwtunnel_state
    class nhc_gw_t(KernelStruct):
        ipv4: u32
        ipv6: in6_addr
    nhc_gw: nhc_gw_t
    nhc_weight: i32
    nhc_upper_bound: atomic_t
    nhc_pcpu_rth_output: Any
    nhc_rth_input: rtable
    nhc_exceptions: fnhe_hash_bucket
class fib_nh_exception(KernelStruct):
    ...
class fib_notifier_ops(KernelStruct):
    ...
class fib_rules_ops(KernelStruct):
    ...
class fib_table(KernelStruct):
    ...
class file(KernelStruct):
    f_lock: spinlock
    f_mode: u32
    f_op: file_operations
    f_mapping: address_space
    private_data: Any
    f_inode: inode
    f_flags: u32
    f_iocb_flags: u32
    f_cred: cred
    f_owner: fown_struct
    f_path: path
    __f_path: path
    f_pos_lock: mutex
    f_pipe: u64
    f_pos: i64
    f_security: Any
    f_wb_err: u32
    f_sb_err: u32
    f_ep: hlist_head
    f_task_work: callback_head
    f_llist: llist_node
    f_ra: file_ra_state
    f_freeptr: freeptr_t
    f_ref: file_ref_t
class file_kattr(KernelStruct):
    ...
class file_lock_context(KernelStruct):
    flc_lock: spinlock
    flc_flock: list_head
    flc_posix: list_head
    flc_lease: list_head
class file_operations(KernelStruct):
    ...
class file_ra_state(KernelStruct):
    start: u64
    size: u32
    async_size: u32
    ra_pages: u32
    order: u16
    mmap_miss: u16
    prev_pos: i64
class file_ref_t(KernelStruct):
    refcnt: atomic64_t
class file_system_type(KernelStruct):
    name: ptr[u8]
    fs_flags: i32
    init_fs_context: Any
    parameters: fs_parameter_spec
    mount: Any
    kill_sb: Any
    owner: module
    next: file_system_type
    fs_supers: hlist_head
    s_lock_key: lock_class_key
    s_umount_key: lock_class_key
    s_vfs_rename_key: lock_class_key
    s_writers_key: array[lock_class_key, Literal[3]]
    i_lock_key: lock_class_key
    i_mutex_key: lock_class_key
    invalidate_lock_key: lock_class_key
    i_mutex_dir_key: lock_class_key
class filename(KernelStruct):
    ...
class files_struct(KernelStruct):
    count: atomic_t
    resize_in_progress: bool
    resize_wait: wait_queue_head
    fdt: fdtable
    fdtab: fdtable
    file_lock: spinlock
    next_fd: u32
    close_on_exec_init: array[u64, Literal[1]]
    open_fds_init: array[u64, Literal[1]]
    full_fds_bits_init: array[u64, Literal[1]]
    fd_array: array[file, Literal[64]]
class flowi(KernelStruct):
    class u_t(KernelStruct):
        __fl_common: flowi_common
        ip4: flowi4
        ip6: flowi6
    u: u_t
class flowi4(KernelStruct):
    __fl_common: flowi_common
    saddr: u32
    daddr: u32
    uli: flowi_uli
class flowi6(KernelStruct):
    __fl_common: flowi_common
    daddr: in6_addr
    saddr: in6_addr
    flowlabel: u32
    uli: flowi_uli
    mp_hash: u32
class flowi_common(KernelStruct):
    flowic_oif: i32
    flowic_iif: i32
    flowic_l3mdev: i32
    flowic_mark: u32
    flowic_dscp: u8
    flowic_scope: u8
    flowic_proto: u8
    flowic_flags: u8
    flowic_secid: u32
    flowic_uid: kuid_t
    flowic_multipath_hash: u32
    flowic_tun_key: flowi_tunnel
class flowi_tunnel(KernelStruct):
    tun_id: u64
class flowi_uli(KernelStruct):
    class ports_t(KernelStruct):
        dport: u16
        sport: u16
    ports: ports_t
    class icmpt_t(KernelStruct):
        type: u8
        code: u8
    icmpt: icmpt_t
    gre_key: u32
    class mht_t(KernelStruct):
        type: u8
    mht: mht_t
fmode_t: TypeAlias = u32
class fnhe_hash_bucket(KernelStruct):
    chain: fib_nh_exception
class folio(KernelStruct):
    flags: memdesc_flags_t
    lru: list_head
    __filler: Any
    mlock_count: u32
    pgmap: dev_pagemap
    mapping: address_space
    index: u64
    share: u64
    private: Any
    swap: swp_entry_t
    _mapcount: atomic_t
    _refcount: atomic_t
    memcg_data: u64
    page: _v.page
    _flags_1: u64
    _head_1: u64
    _large_mapcount: atomic_t
    _nr_pages_mapped: atomic_t
    _entire_mapcount: atomic_t
    _pincount: atomic_t
    _mm_id_mapcount: array[i32, Literal[2]]
    _mm_id: array[u32, Literal[2]]
    _mm_ids: u64
    _usable_1: array[u64, Literal[4]]
    _mapcount_1: atomic_t
    _refcount_1: atomic_t
    _nr_pages: u32
    __page_1: _v.page
    _flags_2: u64
    _head_2: u64
    _deferred_list: list_head
    __page_2: _v.page
    _flags_3: u64
    _head_3: u64
    _hugetlb_subpool: Any
    _hugetlb_cgroup: Any
    _hugetlb_cgroup_rsvd: Any
    _hugetlb_hwpoison: Any
    __page_3: _v.page
class folio_batch(KernelStruct):
    nr: u8
    i: u8
    percpu_pvec_drained: bool
    folios: array[folio, Literal[31]]
class folio_queue(KernelStruct):
    vec: folio_batch
    orders: array[u8, Literal[31]]
    next: folio_queue
    prev: folio_queue
    marks: u64
    marks2: u64
    rreq_id: u32
    debug_id: u32
class fown_struct(KernelStruct):
    file: _v.file
    lock: rwlock_t
    pid: _v.pid
    pid_type: u32
    uid: kuid_t
    euid: kuid_t
    signum: i32
class fprop_global(KernelStruct):
    events: percpu_counter
    period: u32
    sequence: seqcount
class fprop_local_percpu(KernelStruct):
    events: percpu_counter
    period: u32
    lock: raw_spinlock
class fqdir(KernelStruct):
    ...
class frag_hdr(KernelStruct):
    nexthdr: u8
    reserved: u8
    frag_off: u16
    identification: u32
class fred_cs(KernelStruct):
    cs: u64
    sl: u64
    wfe: u64
class fred_ss(KernelStruct):
    ss: u64
    sti: u64
    swevent: u64
    nmi: u64
    vector: u64
    type: u64
    enclave: u64
    lm: u64
    nested: u64
    insnlen: u64
class freelist_aba_t(KernelStruct):
    freelist: Any
    counter: u64
    full: Any
class freeptr_t(KernelStruct):
    v: u64
class fs_context(KernelStruct):
    ...
class fs_parameter(KernelStruct):
    ...
class fs_parameter_spec(KernelStruct):
    ...
class fs_pin(KernelStruct):
    ...
class fs_struct(KernelStruct):
    users: i32
    seq: seqlock_t
    umask: i32
    in_exec: i32
    root: path
    pwd: path
class fscrypt_keyring(KernelStruct):
    lock: spinlock
    key_hashtable: array[hlist_head, Literal[128]]
class fscrypt_operations(KernelStruct):
    ...
class fsnotify_mark_connector(KernelStruct):
    lock: spinlock
    type: u8
    prio: u8
    flags: u16
    obj: Any
    destroy_next: fsnotify_mark_connector
    list: hlist_head
class fsnotify_sb_info(KernelStruct):
    sb_marks: fsnotify_mark_connector
    watched_objects: array[atomic_long_t, Literal[3]]
class ftrace_hash(KernelStruct):
    ...
class ftrace_ops(KernelStruct):
    func: Any
    next: ftrace_ops
    flags: u64
    private: Any
    saved_func: Any
    local_hash: ftrace_ops_hash
    func_hash: ftrace_ops_hash
    old_hash: ftrace_ops_hash
    trampoline: u64
    trampoline_size: u64
    list: list_head
    subop_list: list_head
    ops_func: Any
    managed: ftrace_ops
    direct_call: u64
class ftrace_ops_cmd(IntEnum):
    FTRACE_OPS_CMD_ENABLE_SHARE_IPMODIFY_SELF = 0
    FTRACE_OPS_CMD_ENABLE_SHARE_IPMODIFY_PEER = 1
    FTRACE_OPS_CMD_DISABLE_SHARE_IPMODIFY_PEER = 2
class ftrace_ops_hash(KernelStruct):
    notrace_hash: ftrace_hash
    filter_hash: ftrace_hash
    regex_lock: mutex
class ftrace_regs(KernelStruct):
    ...
class func_instance(KernelStruct):
    ...
class futex_hash_bucket(KernelStruct):
    waiters: atomic_t
    lock: spinlock
    chain: plist_head
    priv: futex_private_hash
class futex_key(KernelStruct):
    class shared_t(KernelStruct):
        i_seq: u64
        pgoff: u64
        offset: u32
    shared: shared_t
    class private_t(KernelStruct):
        mm: mm_struct
        __tmp: u64
        address: u64
        offset: u32
    private: private_t
    class both_t(KernelStruct):
        ptr: u64
        word: u64
        offset: u32
        node: u32
    both: both_t
class futex_pi_state(KernelStruct):
    list: list_head
    pi_mutex: rt_mutex_base
    owner: task_struct
    refcount: refcount_struct
    key: futex_key
class futex_private_hash(KernelStruct):
    state: i32
    hash_mask: u32
    rcu: callback_head
    mm: Any
    custom: bool
    queues: array[futex_hash_bucket, Literal[0]]
class fwnode_handle(KernelStruct):
    ...
class gendisk(KernelStruct):
    major: i32
    first_minor: i32
    minors: i32
    disk_name: array[char, Literal[32]]
    events: u16
    event_flags: u16
    part_tbl: xarray
    part0: block_device
    fops: block_device_operations
    queue: request_queue
    private_data: Any
    bio_split: bio_set
    flags: i32
    state: u64
    open_mutex: mutex
    open_partitions: u32
    bdi: backing_dev_info
    queue_kobj: kobject
    slave_dir: kobject
    random: timer_rand_state
    ev: disk_events
    node_id: i32
    bb: badblocks
    lockdep_map: _v.lockdep_map
    diskseq: u64
    open_mode: u32
    ia_ranges: blk_independent_access_ranges
    rqos_state_mutex: mutex
class geneve_opt(KernelStruct):
    opt_class: u16
    type: u8
    length: u8
    r3: u8
    r2: u8
    r1: u8
    opt_data: array[u8, Literal[0]]
gfp_t: TypeAlias = u32
gid_t: TypeAlias = u32
class gnet_dump(KernelStruct):
    ...
class gnet_stats_basic_sync(KernelStruct):
    bytes: u64_stats_t
    packets: u64_stats_t
    syncp: u64_stats_sync
class gnet_stats_queue(KernelStruct):
    qlen: u32
    backlog: u32
    drops: u32
    requeues: u32
    overlimits: u32
class gro_list(KernelStruct):
    list: list_head
    count: i32
class gro_node(KernelStruct):
    bitmask: u64
    hash: array[gro_list, Literal[8]]
    rx_list: list_head
    rx_count: u32
    cached_napi_id: u32
class group_info(KernelStruct):
    usage: refcount_struct
    ngroups: i32
    gid: array[kgid_t, Literal[0]]
class guid_t(KernelStruct):
    b: array[u8, Literal[16]]
class header_ops(KernelStruct):
    ...
class hh_cache(KernelStruct):
    hh_len: u32
    hh_lock: seqlock_t
    hh_data: array[u64, Literal[4]]
class hlist_bl_head(KernelStruct):
    first: hlist_bl_node
class hlist_bl_node(KernelStruct):
    next: hlist_bl_node
    pprev: Any
class hlist_head(KernelStruct):
    first: hlist_node
class hlist_node(KernelStruct):
    next: hlist_node
    pprev: Any
class hlist_nulls_node(KernelStruct):
    next: hlist_nulls_node
    pprev: Any
class hrtimer(KernelStruct):
    node: timerqueue_node
    _softexpires: i64
    function: Any
    base: hrtimer_clock_base
    state: u8
    is_rel: u8
    is_soft: u8
    is_hard: u8
class hrtimer_clock_base(KernelStruct):
    cpu_base: hrtimer_cpu_base
    index: u32
    clockid: i32
    seq: seqcount_raw_spinlock
    running: hrtimer
    active: timerqueue_head
    offset: i64
class hrtimer_cpu_base(KernelStruct):
    ...
class hrtimer_mode(IntEnum):
    HRTIMER_MODE_ABS = 0
    HRTIMER_MODE_REL = 1
    HRTIMER_MODE_PINNED = 2
    HRTIMER_MODE_SOFT = 4
    HRTIMER_MODE_HARD = 8
    HRTIMER_MODE_ABS_PINNED = 2
    HRTIMER_MODE_REL_PINNED = 3
    HRTIMER_MODE_ABS_SOFT = 4
    HRTIMER_MODE_REL_SOFT = 5
    HRTIMER_MODE_ABS_PINNED_SOFT = 6
    HRTIMER_MODE_REL_PINNED_SOFT = 7
    HRTIMER_MODE_ABS_HARD = 8
    HRTIMER_MODE_REL_HARD = 9
    HRTIMER_MODE_ABS_PINNED_HARD = 10
    HRTIMER_MODE_REL_PINNED_HARD = 11
class hrtimer_restart(IntEnum):
    HRTIMER_NORESTART = 0
    HRTIMER_RESTART = 1
class hrtimer_sleeper(KernelStruct):
    ...
class htab_elem(KernelStruct):
    ...
class hw_perf_event(KernelStruct):
    config: u64
    config1: u64
    last_tag: u64
    dyn_constraint: u64
    config_base: u64
    event_base: u64
    event_base_rdpmc: i32
    idx: i32
    last_cpu: i32
    flags: i32
    extra_reg: hw_perf_event_extra
    branch_reg: hw_perf_event_extra
    aux_config: u64
    aux_paused: u32
    hrtimer: _v.hrtimer
    tp_list: list_head
    pwr_acc: u64
    ptsc: u64
    info: arch_hw_breakpoint
    bp_list: rhlist_head
    iommu_bank: u8
    iommu_cntr: u8
    padding: u16
    conf: u64
    conf1: u64
    target: task_struct
    addr_filters: Any
    addr_filters_gen: u64
    state: i32
    prev_count: local64_t
    sample_period: u64
    last_period: u64
    period_left: local64_t
    saved_metric: u64
    saved_slots: u64
    interrupts_seq: u64
    interrupts: u64
    freq_time_stamp: u64
    freq_count_stamp: u64
class hw_perf_event_extra(KernelStruct):
    config: u64
    reg: u32
    alloc: i32
    idx: i32
class hwtstamp_provider(KernelStruct):
    callback_head: _v.callback_head
    source: u32
    phydev: phy_device
    desc: hwtstamp_provider_desc
class hwtstamp_provider_desc(KernelStruct):
    index: i32
    qualifier: u32
class hwtstamp_provider_qualifier(IntEnum):
    HWTSTAMP_PROVIDER_QUALIFIER_PRECISE = 0
    HWTSTAMP_PROVIDER_QUALIFIER_APPROX = 1
    HWTSTAMP_PROVIDER_QUALIFIER_CNT = 2
class hwtstamp_source(IntEnum):
    HWTSTAMP_SOURCE_NETDEV = 1
    HWTSTAMP_SOURCE_PHYLIB = 2
class iattr(KernelStruct):
    ...
class icmp6hdr(KernelStruct):
    icmp6_type: u8
    icmp6_code: u8
    icmp6_cksum: u16
    class icmp6_dataun_t(KernelStruct):
        un_data32: array[u32, Literal[1]]
        un_data16: array[u16, Literal[2]]
        un_data8: array[u8, Literal[4]]
        u_echo: icmpv6_echo
        u_nd_advt: icmpv6_nd_advt
        u_nd_ra: icmpv6_nd_ra
    icmp6_dataun: icmp6_dataun_t
class icmp_filter(KernelStruct):
    data: u32
class icmp_mib(KernelStruct):
    ...
class icmphdr(KernelStruct):
    type: u8
    code: u8
    checksum: u16
    class un_t(KernelStruct):
        class echo_t(KernelStruct):
            id: u16
            sequence: u16
        echo: echo_t
        gateway: u32
        class frag_t(KernelStruct):
            __unused: u16
            mtu: u16
        frag: frag_t
        reserved: array[u8, Literal[4]]
    un: un_t
class icmpmsg_mib(KernelStruct):
    ...
class icmpv6_echo(KernelStruct):
    identifier: u16
    sequence: u16
class icmpv6_mib(KernelStruct):
    ...
class icmpv6_mib_device(KernelStruct):
    ...
class icmpv6_nd_advt(KernelStruct):
    reserved: u32
    override: u32
    solicited: u32
    router: u32
    reserved2: u32
class icmpv6_nd_ra(KernelStruct):
    hop_limit: u8
    reserved: u8
    router_pref: u8
    home_agent: u8
    other: u8
    managed: u8
    rt_lifetime: u16
class icmpv6msg_mib(KernelStruct):
    ...
class icmpv6msg_mib_device(KernelStruct):
    ...
class idr(KernelStruct):
    idr_rt: xarray
    idr_base: u32
    idr_next: u32
class if_settings(KernelStruct):
    ...
class ifacaddr6(KernelStruct):
    ...
class ifla_vf_guid(KernelStruct):
    ...
class ifla_vf_info(KernelStruct):
    ...
class ifla_vf_stats(KernelStruct):
    ...
class ifmap(KernelStruct):
    ...
class ifmcaddr6(KernelStruct):
    ...
class ifreq(KernelStruct):
    ...
class in6_addr(KernelStruct):
    class in6_u_t(KernelStruct):
        u6_addr8: array[u8, Literal[16]]
        u6_addr16: array[u16, Literal[8]]
        u6_addr32: array[u32, Literal[4]]
    in6_u: in6_u_t
class in6_pktinfo(KernelStruct):
    ipi6_addr: in6_addr
    ipi6_ifindex: i32
class in_addr(KernelStruct):
    s_addr: u32
class in_device(KernelStruct):
    dev: net_device
    dev_tracker: netdevice_tracker
    refcnt: refcount_struct
    dead: i32
    ifa_list: in_ifaddr
    mc_list: ip_mc_list
    mc_hash: Any
    mc_count: i32
    mc_tomb_lock: spinlock
    mc_tomb: ip_mc_list
    mr_v1_seen: u64
    mr_v2_seen: u64
    mr_qi: u64
    mr_qri: u64
    mr_qrv: u8
    mr_gq_running: u8
    mr_maxdelay: u32
    mr_ifc_count: u32
    mr_gq_timer: timer_list
    mr_ifc_timer: timer_list
    arp_parms: neigh_parms
    cnf: ipv4_devconf
    callback_head: _v.callback_head
class in_ifaddr(KernelStruct):
    ...
class inet6_cork(KernelStruct):
    opt: ipv6_txoptions
    hop_limit: u8
    tclass: u8
    dontfrag: u8
class inet6_dev(KernelStruct):
    dev: net_device
    dev_tracker: netdevice_tracker
    addr_list: list_head
    mc_list: ifmcaddr6
    mc_tomb: ifmcaddr6
    mc_qrv: u8
    mc_gq_running: u8
    mc_ifc_count: u8
    mc_dad_count: u8
    mc_v1_seen: u64
    mc_qi: u64
    mc_qri: u64
    mc_maxdelay: u64
    mc_gq_work: delayed_work
    mc_ifc_work: delayed_work
    mc_dad_work: delayed_work
    mc_query_work: delayed_work
    mc_report_work: delayed_work
    mc_query_queue: sk_buff_head
    mc_report_queue: sk_buff_head
    mc_query_lock: spinlock
    mc_report_lock: spinlock
    mc_lock: mutex
    ac_list: ifacaddr6
    lock: rwlock_t
    refcnt: refcount_struct
    if_flags: u32
    dead: i32
    desync_factor: u32
    tempaddr_list: list_head
    token: in6_addr
    nd_parms: neigh_parms
    cnf: ipv6_devconf
    stats: ipv6_devstat
    rs_timer: timer_list
    rs_interval: i32
    rs_probes: u8
    tstamp: u64
    rcu: callback_head
    ra_mtu: u32
class inet_bind2_bucket(KernelStruct):
    ...
class inet_bind_bucket(KernelStruct):
    ...
class inet_connection_sock(KernelStruct):
    icsk_inet: inet_sock
    icsk_accept_queue: request_sock_queue
    icsk_bind_hash: inet_bind_bucket
    icsk_bind2_hash: inet_bind2_bucket
    icsk_retransmit_timer: timer_list
    icsk_delack_timer: timer_list
    icsk_rto: u32
    icsk_rto_min: u32
    icsk_rto_max: u32
    icsk_delack_max: u32
    icsk_pmtu_cookie: u32
    icsk_ca_ops: tcp_congestion_ops
    icsk_af_ops: inet_connection_sock_af_ops
    icsk_ulp_ops: tcp_ulp_ops
    icsk_ulp_data: Any
    icsk_sync_mss: Any
    icsk_ca_state: u8
    icsk_ca_initialized: u8
    icsk_ca_setsockopt: u8
    icsk_ca_dst_locked: u8
    icsk_retransmits: u8
    icsk_pending: u8
    icsk_backoff: u8
    icsk_syn_retries: u8
    icsk_probes_out: u8
    icsk_ext_hdr_len: u16
    class icsk_ack_t(KernelStruct):
        pending: u8
        quick: u8
        pingpong: u8
        retry: u8
        ato: u32
        lrcv_flowlabel: u32
        dst_quick_ack: u32
        unused: u32
        lrcvtime: u32
        last_seg_size: u16
        rcv_mss: u16
    icsk_ack: icsk_ack_t
    class icsk_mtup_t(KernelStruct):
        search_high: i32
        search_low: i32
        probe_size: u32
        enabled: u32
        probe_timestamp: u32
    icsk_mtup: icsk_mtup_t
    icsk_probes_tstamp: u32
    icsk_user_timeout: u32
    icsk_ca_priv: array[u64, Literal[13]]
class inet_connection_sock_af_ops(KernelStruct):
    ...
class inet_cork(KernelStruct):
    flags: u32
    addr: u32
    opt: ip_options
    fragsize: u32
    length: i32
    dst: dst_entry
    tx_flags: u8
    ttl: u8
    tos: i16
    priority: u32
    gso_size: u16
    ts_opt_id: u32
    transmit_time: u64
    mark: u32
class inet_cork_full(KernelStruct):
    base: inet_cork
    fl: flowi
class inet_hashinfo(KernelStruct):
    ...
class inet_peer_base(KernelStruct):
    rb_root: _v.rb_root
    lock: seqlock_t
    total: i32
class inet_request_sock(KernelStruct):
    req: request_sock
    snd_wscale: u16
    rcv_wscale: u16
    tstamp_ok: u16
    sack_ok: u16
    wscale_ok: u16
    ecn_ok: u16
    acked: u16
    no_srccheck: u16
    smc_ok: u16
    ir_mark: u32
    ireq_opt: ip_options_rcu
    ipv6_opt: ipv6_txoptions
    pktopts: sk_buff
class inet_sock(KernelStruct):
    sk: sock
    pinet6: ipv6_pinfo
    ipv6_fl_list: ipv6_fl_socklist
    inet_flags: u64
    inet_saddr: u32
    uc_ttl: i16
    inet_sport: u16
    inet_opt: ip_options_rcu
    inet_id: atomic_t
    tos: u8
    min_ttl: u8
    mc_ttl: u8
    pmtudisc: u8
    rcv_tos: u8
    convert_csum: u8
    uc_index: i32
    mc_index: i32
    mc_addr: u32
    local_port_range: u32
    mc_list: ip_mc_socklist
    cork: inet_cork_full
class inet_timewait_death_row(KernelStruct):
    tw_refcount: refcount_struct
    hashinfo: inet_hashinfo
    sysctl_max_tw_buckets: i32
class inet_timewait_sock(KernelStruct):
    __tw_common: sock_common
    tw_mark: u32
    tw_substate: u8
    tw_rcv_wscale: u8
    tw_sport: u16
    tw_transparent: u32
    tw_flowlabel: u32
    tw_usec_ts: u32
    tw_connect_bind: u32
    tw_pad: u32
    tw_tos: u32
    tw_txhash: u32
    tw_priority: u32
    tw_entry_stamp: u32
    tw_timer: timer_list
    tw_tb: inet_bind_bucket
    tw_tb2: inet_bind2_bucket
ino_t: TypeAlias = u64
class inode(KernelStruct):
    i_mode: u16
    i_opflags: u16
    i_uid: kuid_t
    i_gid: kgid_t
    i_flags: u32
    i_acl: posix_acl
    i_default_acl: posix_acl
    i_op: inode_operations
    i_sb: super_block
    i_mapping: address_space
    i_security: Any
    i_ino: u64
    i_nlink: u32
    __i_nlink: u32
    i_rdev: u32
    i_size: i64
    i_atime_sec: i64
    i_mtime_sec: i64
    i_ctime_sec: i64
    i_atime_nsec: u32
    i_mtime_nsec: u32
    i_ctime_nsec: u32
    i_generation: u32
    i_lock: spinlock
    i_bytes: u16
    i_blkbits: u8
    i_write_hint: u8
    i_blocks: u64
    i_state: u32
    i_rwsem: rw_semaphore
    dirtied_when: u64
    dirtied_time_when: u64
    i_hash: hlist_node
    i_io_list: list_head
    i_wb: bdi_writeback
    i_wb_frn_winner: i32
    i_wb_frn_avg_time: u16
    i_wb_frn_history: u16
    i_lru: list_head
    i_kept: llist_node
    i_sb_list: list_head
    i_wb_list: list_head
    i_dentry: hlist_head
    i_rcu: callback_head
    i_version: atomic64_t
    i_sequence: atomic64_t
    i_count: atomic_t
    i_dio_count: atomic_t
    i_writecount: atomic_t
    i_readcount: atomic_t
    i_fop: file_operations
    free_inode: Any
    i_flctx: file_lock_context
    i_data: address_space
    i_devices: list_head
    i_linklen: i32
    i_pipe: pipe_inode_info
    i_cdev: cdev
    i_link: ptr[u8]
    i_dir_seq: u32
    i_fsnotify_mask: u32
    i_fsnotify_marks: fsnotify_mark_connector
    i_private: Any
class inode_operations(KernelStruct):
    ...
class inode_state_flags_t(IntEnum):
    I_NEW = 1
    I_SYNC = 2
    I_LRU_ISOLATING = 4
    I_DIRTY_SYNC = 16
    I_DIRTY_DATASYNC = 32
    I_DIRTY_PAGES = 64
    I_WILL_FREE = 128
    I_FREEING = 256
    I_CLEAR = 512
    I_REFERENCED = 1024
    I_LINKABLE = 2048
    I_DIRTY_TIME = 4096
    I_WB_SWITCH = 8192
    I_OVL_INUSE = 16384
    I_CREATING = 32768
    I_DONTCACHE = 65536
    I_SYNC_QUEUED = 131072
    I_PINNING_NETFS_WB = 262144
int16_t: TypeAlias = i16
int32_t: TypeAlias = i32
int64_t: TypeAlias = i64
int8_t: TypeAlias = i8
intptr_t: TypeAlias = i64
class io_bitmap(KernelStruct):
    sequence: u64
    refcnt: refcount_struct
    max: u32
    bitmap: array[u64, Literal[1024]]
class io_context(KernelStruct):
    refcount: atomic_long_t
    active_ref: atomic_t
    ioprio: u16
    lock: spinlock
    icq_tree: xarray
    icq_hint: io_cq
    icq_list: hlist_head
    release_work: work_struct
class io_cq(KernelStruct):
    q: request_queue
    ioc: io_context
    q_node: list_head
    __rcu_icq_cache: kmem_cache
    ioc_node: hlist_node
    __rcu_head: callback_head
    flags: u32
class io_ring_ctx(KernelStruct):
    ...
class io_tlb_mem(KernelStruct):
    ...
class io_uring_cmd(KernelStruct):
    ...
class io_uring_task(KernelStruct):
    cached_refs: i32
    last: io_ring_ctx
    task: task_struct
    io_wq: _v.io_wq
    registered_rings: array[file, Literal[16]]
    xa: xarray
    wait: wait_queue_head
    in_cancel: atomic_t
    inflight_tracked: atomic_t
    inflight: percpu_counter
    task_list: llist_head
    task_work: callback_head
class io_wq(KernelStruct):
    ...
class ioam6_pernet_data(KernelStruct):
    ...
ioasid_t: TypeAlias = u32
class iommu_group(KernelStruct):
    ...
class iov_iter(KernelStruct):
    iter_type: u8
    nofault: bool
    data_source: bool
    iov_offset: u64
    __ubuf_iovec: iovec
    __iov: iovec
    kvec: _v.kvec
    bvec: bio_vec
    folioq: folio_queue
    xarray: _v.xarray
    ubuf: Any
    count: u64
    nr_segs: u64
    folioq_slot: u8
    xarray_start: i64
class iovec(KernelStruct):
    iov_base: Any
    iov_len: u64
class ip6_flowlabel(KernelStruct):
    ...
class ip_conntrack_stat(KernelStruct):
    ...
class ip_ct_sctp(KernelStruct):
    state: u32
    vtag: array[u32, Literal[2]]
    init: array[u8, Literal[2]]
    last_dir: u8
    flags: u8
class ip_ct_tcp(KernelStruct):
    seen: array[ip_ct_tcp_state, Literal[2]]
    state: u8
    last_dir: u8
    retrans: u8
    last_index: u8
    last_seq: u32
    last_ack: u32
    last_end: u32
    last_win: u16
    last_wscale: u8
    last_flags: u8
class ip_ct_tcp_state(KernelStruct):
    td_end: u32
    td_maxend: u32
    td_maxwin: u32
    td_maxack: u32
    td_scale: u8
    flags: u8
class ip_esp_hdr(KernelStruct):
    spi: u32
    seq_no: u32
    enc_data: array[u8, Literal[0]]
class ip_mc_list(KernelStruct):
    ...
class ip_mc_socklist(KernelStruct):
    next_rcu: ip_mc_socklist
    multi: ip_mreqn
    sfmode: u32
    sflist: ip_sf_socklist
    rcu: callback_head
class ip_mreqn(KernelStruct):
    imr_multiaddr: in_addr
    imr_address: in_addr
    imr_ifindex: i32
class ip_options(KernelStruct):
    faddr: u32
    nexthop: u32
    optlen: u8
    srr: u8
    rr: u8
    ts: u8
    is_strictroute: u8
    srr_is_hit: u8
    is_changed: u8
    rr_needaddr: u8
    ts_needtime: u8
    ts_needaddr: u8
    router_alert: u8
    cipso: u8
    __pad2: u8
    __data: array[u8, Literal[0]]
class ip_options_rcu(KernelStruct):
    rcu: callback_head
    opt: ip_options
class ip_ra_chain(KernelStruct):
    ...
ip_set_id_t: TypeAlias = u16
class ip_sf_socklist(KernelStruct):
    ...
class ip_tunnel_parm_kern(KernelStruct):
    ...
class ipc_ids(KernelStruct):
    in_use: i32
    seq: u16
    rwsem: rw_semaphore
    ipcs_idr: idr
    max_idx: i32
    last_idx: i32
    next_id: i32
    key_ht: rhashtable
class ipc_namespace(KernelStruct):
    ids: array[ipc_ids, Literal[3]]
    sem_ctls: array[i32, Literal[4]]
    used_sems: i32
    msg_ctlmax: u32
    msg_ctlmnb: u32
    msg_ctlmni: u32
    percpu_msg_bytes: percpu_counter
    percpu_msg_hdrs: percpu_counter
    shm_ctlmax: u64
    shm_ctlall: u64
    shm_tot: u64
    shm_ctlmni: i32
    shm_rmid_forced: i32
    ipcns_nb: notifier_block
    mq_mnt: vfsmount
    mq_queues_count: u32
    mq_queues_max: u32
    mq_msg_max: u32
    mq_msgsize_max: u32
    mq_msg_default: u32
    mq_msgsize_default: u32
    mq_set: ctl_table_set
    mq_sysctls: ctl_table_header
    ipc_set: ctl_table_set
    ipc_sysctls: ctl_table_header
    user_ns: user_namespace
    ucounts: _v.ucounts
    mnt_llist: llist_node
    ns: ns_common
class iphdr(KernelStruct):
    ihl: u8
    version: u8
    tos: u8
    tot_len: u16
    id: u16
    frag_off: u16
    ttl: u8
    protocol: u8
    check: u16
    saddr: u32
    daddr: u32
    class addrs_t(KernelStruct):
        saddr: u32
        daddr: u32
    addrs: addrs_t
class ipstats_mib(KernelStruct):
    ...
class ipv4_devconf(KernelStruct):
    sysctl: Any
    data: array[i32, Literal[33]]
    state: array[u64, Literal[1]]
class ipv6_ac_socklist(KernelStruct):
    ...
class ipv6_devconf(KernelStruct):
    __cacheline_group_begin__ipv6_devconf_read_txrx: array[u8, Literal[0]]
    disable_ipv6: i32
    hop_limit: i32
    mtu6: i32
    forwarding: i32
    force_forwarding: i32
    disable_policy: i32
    proxy_ndp: i32
    __cacheline_group_end__ipv6_devconf_read_txrx: array[u8, Literal[0]]
    accept_ra: i32
    accept_redirects: i32
    autoconf: i32
    dad_transmits: i32
    rtr_solicits: i32
    rtr_solicit_interval: i32
    rtr_solicit_max_interval: i32
    rtr_solicit_delay: i32
    force_mld_version: i32
    mldv1_unsolicited_report_interval: i32
    mldv2_unsolicited_report_interval: i32
    use_tempaddr: i32
    temp_valid_lft: i32
    temp_prefered_lft: i32
    regen_min_advance: i32
    regen_max_retry: i32
    max_desync_factor: i32
    max_addresses: i32
    accept_ra_defrtr: i32
    ra_defrtr_metric: u32
    accept_ra_min_hop_limit: i32
    accept_ra_min_lft: i32
    accept_ra_pinfo: i32
    ignore_routes_with_linkdown: i32
    accept_ra_rtr_pref: i32
    rtr_probe_interval: i32
    accept_ra_rt_info_min_plen: i32
    accept_ra_rt_info_max_plen: i32
    accept_source_route: i32
    accept_ra_from_local: i32
    optimistic_dad: i32
    use_optimistic: i32
    mc_forwarding: atomic_t
    drop_unicast_in_l2_multicast: i32
    accept_dad: i32
    force_tllao: i32
    ndisc_notify: i32
    suppress_frag_ndisc: i32
    accept_ra_mtu: i32
    drop_unsolicited_na: i32
    accept_untracked_na: i32
    stable_secret: ipv6_stable_secret
    use_oif_addrs_only: i32
    keep_addr_on_down: i32
    seg6_enabled: i32
    seg6_require_hmac: i32
    enhanced_dad: u32
    addr_gen_mode: u32
    ndisc_tclass: i32
    rpl_seg_enabled: i32
    ioam6_id: u32
    ioam6_id_wide: u32
    ioam6_enabled: u8
    ndisc_evict_nocarrier: u8
    ra_honor_pio_life: u8
    ra_honor_pio_pflag: u8
    sysctl_header: ctl_table_header
class ipv6_devstat(KernelStruct):
    proc_dir_entry: _v.proc_dir_entry
    ipv6: ipstats_mib
    icmpv6dev: icmpv6_mib_device
    icmpv6msgdev: icmpv6msg_mib_device
class ipv6_fl_socklist(KernelStruct):
    next: ipv6_fl_socklist
    fl: ip6_flowlabel
    rcu: callback_head
class ipv6_mc_socklist(KernelStruct):
    ...
class ipv6_opt_hdr(KernelStruct):
    nexthdr: u8
    hdrlen: u8
class ipv6_pinfo(KernelStruct):
    saddr: in6_addr
    flow_label: u32
    dst_cookie: u32
    opt: ipv6_txoptions
    hop_limit: i16
    pmtudisc: u8
    tclass: u8
    saddr_cache: bool
    daddr_cache: bool
    mcast_hops: u8
    frag_size: u32
    ucast_oif: i32
    mcast_oif: i32
    class rxopt_t(KernelStruct):
        class bits_t(KernelStruct):
            srcrt: u16
            osrcrt: u16
            rxinfo: u16
            rxoinfo: u16
            rxhlim: u16
            rxohlim: u16
            hopopts: u16
            ohopopts: u16
            dstopts: u16
            odstopts: u16
            rxflow: u16
            rxtclass: u16
            rxpmtu: u16
            rxorigdstaddr: u16
            recvfragsize: u16
        bits: bits_t
        all: u16
    rxopt: rxopt_t
    srcprefs: u8
    min_hopcount: u8
    rcv_flowinfo: u32
    sticky_pktinfo: in6_pktinfo
    pktoptions: sk_buff
    rxpmtu: sk_buff
    cork: inet6_cork
    ipv6_mc_list: ipv6_mc_socklist
    ipv6_ac_list: ipv6_ac_socklist
class ipv6_stable_secret(KernelStruct):
    initialized: bool
    secret: in6_addr
class ipv6_txoptions(KernelStruct):
    ...
class ipv6hdr(KernelStruct):
    priority: u8
    version: u8
    flow_lbl: array[u8, Literal[3]]
    payload_len: u16
    nexthdr: u8
    hop_limit: u8
    saddr: in6_addr
    daddr: in6_addr
    class addrs_t(KernelStruct):
        saddr: in6_addr
        daddr: in6_addr
    addrs: addrs_t
class irq_affinity_desc(KernelStruct):
    ...
class irq_affinity_notify(KernelStruct):
    irq: u32
    kref: _v.kref
    work: work_struct
    notify: Any
    release: Any
class irq_chip(KernelStruct):
    name: ptr[u8]
    irq_startup: Any
    irq_shutdown: Any
    irq_enable: Any
    irq_disable: Any
    irq_ack: Any
    irq_mask: Any
    irq_mask_ack: Any
    irq_unmask: Any
    irq_eoi: Any
    irq_set_affinity: Any
    irq_retrigger: Any
    irq_set_type: Any
    irq_set_wake: Any
    irq_bus_lock: Any
    irq_bus_sync_unlock: Any
    irq_suspend: Any
    irq_resume: Any
    irq_pm_shutdown: Any
    irq_calc_mask: Any
    irq_print_chip: Any
    irq_request_resources: Any
    irq_release_resources: Any
    irq_compose_msi_msg: Any
    irq_write_msi_msg: Any
    irq_get_irqchip_state: Any
    irq_set_irqchip_state: Any
    irq_set_vcpu_affinity: Any
    ipi_send_single: Any
    ipi_send_mask: Any
    irq_nmi_setup: Any
    irq_nmi_teardown: Any
    irq_force_complete_move: Any
    flags: u64
class irq_common_data(KernelStruct):
    state_use_accessors: u32
    node: u32
    handler_data: Any
    msi_desc: _v.msi_desc
    affinity: array[cpumask, Literal[1]]
    effective_affinity: array[cpumask, Literal[1]]
class irq_data(KernelStruct):
    mask: u32
    irq: u32
    hwirq: u64
    common: irq_common_data
    chip: irq_chip
    domain: irq_domain
    parent_data: irq_data
    chip_data: Any
class irq_desc(KernelStruct):
    irq_common_data: _v.irq_common_data
    irq_data: _v.irq_data
    kstat_irqs: irqstat
    handle_irq: Any
    action: irqaction
    status_use_accessors: u32
    core_internal_state__do_not_mess_with_it: u32
    depth: u32
    wake_depth: u32
    tot_count: u32
    irq_count: u32
    last_unhandled: u64
    irqs_unhandled: u32
    threads_handled: atomic_t
    threads_handled_last: i32
    lock: raw_spinlock
    percpu_enabled: cpumask
    percpu_affinity: cpumask
    affinity_hint: cpumask
    affinity_notify: irq_affinity_notify
    pending_mask: array[cpumask, Literal[1]]
    threads_oneshot: u64
    threads_active: atomic_t
    wait_for_threads: wait_queue_head
    dir: proc_dir_entry
    rcu: callback_head
    kobj: kobject
    request_mutex: mutex
    parent_irq: i32
    owner: module
    name: ptr[u8]
    resend_node: hlist_node
class irq_domain(KernelStruct):
    link: list_head
    name: ptr[u8]
    ops: irq_domain_ops
    host_data: Any
    flags: u32
    mapcount: u32
    mutex: _v.mutex
    root: irq_domain
    fwnode: fwnode_handle
    bus_token: u32
    gc: irq_domain_chip_generic
    dev: device
    pm_dev: device
    parent: irq_domain
    msi_parent_ops: _v.msi_parent_ops
    exit: Any
    hwirq_max: u64
    revmap_size: u32
    revmap_tree: xarray
    revmap: array[irq_data, Literal[0]]
class irq_domain_bus_token(IntEnum):
    DOMAIN_BUS_ANY = 0
    DOMAIN_BUS_WIRED = 1
    DOMAIN_BUS_GENERIC_MSI = 2
    DOMAIN_BUS_PCI_MSI = 3
    DOMAIN_BUS_PLATFORM_MSI = 4
    DOMAIN_BUS_NEXUS = 5
    DOMAIN_BUS_IPI = 6
    DOMAIN_BUS_FSL_MC_MSI = 7
    DOMAIN_BUS_TI_SCI_INTA_MSI = 8
    DOMAIN_BUS_WAKEUP = 9
    DOMAIN_BUS_VMD_MSI = 10
    DOMAIN_BUS_PCI_DEVICE_MSI = 11
    DOMAIN_BUS_PCI_DEVICE_MSIX = 12
    DOMAIN_BUS_DMAR = 13
    DOMAIN_BUS_AMDVI = 14
    DOMAIN_BUS_DEVICE_MSI = 15
    DOMAIN_BUS_WIRED_TO_MSI = 16
class irq_domain_chip_generic(KernelStruct):
    ...
class irq_domain_ops(KernelStruct):
    ...
irq_hw_number_t: TypeAlias = u64
class irq_matrix(KernelStruct):
    ...
class irq_work(KernelStruct):
    node: __call_single_node
    func: Any
    irqwait: rcuwait
class irqaction(KernelStruct):
    handler: Any
    dev_id: Any
    percpu_dev_id: Any
    next: irqaction
    thread_fn: Any
    thread: task_struct
    secondary: irqaction
    irq: u32
    flags: u32
    thread_flags: u64
    thread_mask: u64
    name: ptr[u8]
    dir: proc_dir_entry
class irqchip_irq_state(IntEnum):
    IRQCHIP_STATE_PENDING = 0
    IRQCHIP_STATE_ACTIVE = 1
    IRQCHIP_STATE_MASKED = 2
    IRQCHIP_STATE_LINE_LEVEL = 3
class irqreturn(IntEnum):
    IRQ_NONE = 0
    IRQ_HANDLED = 1
    IRQ_WAKE_THREAD = 2
class irqreturn_t(IntEnum):
    IRQ_NONE = 0
    IRQ_HANDLED = 1
    IRQ_WAKE_THREAD = 2
class irqstat(KernelStruct):
    cnt: u32
class its_array(KernelStruct):
    pages: Any
    num: i32
class jump_entry(KernelStruct):
    ...
class k_sigaction(KernelStruct):
    sa: sigaction
class kallsym_iter(KernelStruct):
    pos: i64
    pos_mod_end: i64
    pos_ftrace_mod_end: i64
    pos_bpf_end: i64
    value: u64
    nameoff: u32
    type: u8
    name: array[char, Literal[512]]
    module_name: array[char, Literal[56]]
    exported: i32
    show_value: i32
class kern_ipc_perm(KernelStruct):
    ...
class kernel_cap_t(KernelStruct):
    val: u64
class kernel_clone_args(KernelStruct):
    flags: u64
    pidfd: ptr[i32]
    child_tid: ptr[i32]
    parent_tid: ptr[i32]
    name: ptr[u8]
    exit_signal: i32
    kthread: u32
    io_thread: u32
    user_worker: u32
    no_files: u32
    stack: u64
    stack_size: u64
    tls: u64
    set_tid: ptr[i32]
    set_tid_size: u64
    cgroup: i32
    idle: i32
    fn: Any
    fn_arg: Any
    cgrp: _v.cgroup
    cset: css_set
    kill_seq: u32
class kernel_hwtstamp_config(KernelStruct):
    ...
class kernel_load_data_id(IntEnum):
    LOADING_UNKNOWN = 0
    LOADING_FIRMWARE = 1
    LOADING_MODULE = 2
    LOADING_KEXEC_IMAGE = 3
    LOADING_KEXEC_INITRAMFS = 4
    LOADING_POLICY = 5
    LOADING_X509_CERTIFICATE = 6
    LOADING_MAX_ID = 7
class kernel_param(KernelStruct):
    ...
class kernel_read_file_id(IntEnum):
    READING_UNKNOWN = 0
    READING_FIRMWARE = 1
    READING_MODULE = 2
    READING_KEXEC_IMAGE = 3
    READING_KEXEC_INITRAMFS = 4
    READING_POLICY = 5
    READING_X509_CERTIFICATE = 6
    READING_MAX_ID = 7
class kernel_siginfo(KernelStruct):
    si_signo: i32
    si_errno: i32
    si_code: i32
    _sifields: __sifields
kernel_siginfo_t: TypeAlias = kernel_siginfo
class kernfs_elem_attr(KernelStruct):
    ops: kernfs_ops
    open: kernfs_open_node
    size: i64
    notify_next: kernfs_node
class kernfs_elem_dir(KernelStruct):
    subdirs: u64
    children: rb_root
    root: kernfs_root
    rev: u64
class kernfs_elem_symlink(KernelStruct):
    target_kn: kernfs_node
class kernfs_iattrs(KernelStruct):
    ia_uid: kuid_t
    ia_gid: kgid_t
    ia_atime: timespec64
    ia_mtime: timespec64
    ia_ctime: timespec64
    xattrs: simple_xattrs
    nr_user_xattrs: atomic_t
    user_xattr_size: atomic_t
class kernfs_node(KernelStruct):
    count: atomic_t
    active: atomic_t
    __parent: kernfs_node
    name: ptr[u8]
    rb: rb_node
    ns: Any
    hash: u32
    flags: u16
    mode: u16
    dir: kernfs_elem_dir
    symlink: kernfs_elem_symlink
    attr: kernfs_elem_attr
    id: u64
    priv: Any
    iattr: kernfs_iattrs
    rcu: callback_head
class kernfs_open_node(KernelStruct):
    ...
class kernfs_ops(KernelStruct):
    ...
class kernfs_root(KernelStruct):
    ...
class key(KernelStruct):
    usage: refcount_struct
    serial: i32
    graveyard_link: list_head
    serial_node: rb_node
    sem: rw_semaphore
    user: key_user
    security: Any
    expiry: i64
    revoked_at: i64
    last_used_at: i64
    uid: kuid_t
    gid: kgid_t
    perm: u32
    quotalen: u16
    datalen: u16
    state: i16
    flags: u64
    index_key: keyring_index_key
    hash: u64
    len_desc: u64
    type: key_type
    domain_tag: key_tag
    description: ptr[u8]
    payload: key_payload
    name_link: list_head
    keys: assoc_array
    restrict_link: key_restriction
class key_need_perm(IntEnum):
    KEY_NEED_UNSPECIFIED = 0
    KEY_NEED_VIEW = 1
    KEY_NEED_READ = 2
    KEY_NEED_WRITE = 3
    KEY_NEED_SEARCH = 4
    KEY_NEED_LINK = 5
    KEY_NEED_SETATTR = 6
    KEY_NEED_UNLINK = 7
    KEY_SYSADMIN_OVERRIDE = 8
    KEY_AUTHTOKEN_OVERRIDE = 9
    KEY_DEFER_PERM_CHECK = 10
class key_payload(KernelStruct):
    rcu_data0: Any
    data: array[Any, Literal[4]]
key_perm_t: TypeAlias = u32
class key_restriction(KernelStruct):
    ...
key_serial_t: TypeAlias = i32
class key_tag(KernelStruct):
    rcu: callback_head
    usage: refcount_struct
    removed: bool
class key_type(KernelStruct):
    ...
class key_user(KernelStruct):
    ...
class keyring_index_key(KernelStruct):
    hash: u64
    desc_len: u16
    desc: array[char, Literal[6]]
    x: u64
    type: key_type
    domain_tag: key_tag
    description: ptr[u8]
class kgid_t(KernelStruct):
    val: u32
class kiocb(KernelStruct):
    ki_filp: file
    ki_pos: i64
    ki_complete: Any
    private: Any
    ki_flags: i32
    ki_ioprio: u16
    ki_write_stream: u8
    ki_waitq: wait_page_queue
    dio_complete: Any
class kioctx(KernelStruct):
    ...
class kioctx_table(KernelStruct):
    rcu: callback_head
    nr: u32
    table: array[kioctx, Literal[0]]
class kmap_ctrl(KernelStruct):
    ...
class kmem_cache(KernelStruct):
    cpu_slab: kmem_cache_cpu
    lock_key: lock_class_key
    cpu_sheaves: slub_percpu_sheaves
    flags: u32
    min_partial: u64
    size: u32
    object_size: u32
    reciprocal_size: reciprocal_value
    offset: u32
    cpu_partial: u32
    cpu_partial_slabs: u32
    sheaf_capacity: u32
    oo: kmem_cache_order_objects
    min: kmem_cache_order_objects
    allocflags: u32
    refcount: i32
    ctor: Any
    inuse: u32
    align: u32
    red_left_pad: u32
    name: ptr[u8]
    list: list_head
    kobj: kobject
    random: u64
    remote_node_defrag_ratio: u32
    random_seq: ptr[u32]
    useroffset: u32
    usersize: u32
    node: array[kmem_cache_node, Literal[1024]]
class kmem_cache_cpu(KernelStruct):
    freelist: Any
    tid: u64
    freelist_tid: freelist_aba_t
    slab: _v.slab
    partial: _v.slab
    lock: local_trylock_t
class kmem_cache_node(KernelStruct):
    list_lock: spinlock
    nr_partial: u64
    partial: list_head
    nr_slabs: atomic_long_t
    total_objects: atomic_long_t
    full: list_head
    barn: node_barn
class kmem_cache_order_objects(KernelStruct):
    x: u32
class kobj_type(KernelStruct):
    ...
class kobject(KernelStruct):
    name: ptr[u8]
    entry: list_head
    parent: kobject
    kset: _v.kset
    ktype: kobj_type
    sd: kernfs_node
    kref: _v.kref
    state_initialized: u32
    state_in_sysfs: u32
    state_add_uevent_sent: u32
    state_remove_uevent_sent: u32
    uevent_suppress: u32
class kprojid_t(KernelStruct):
    val: u32
class kref(KernelStruct):
    refcount: refcount_struct
class kset(KernelStruct):
    list: list_head
    list_lock: spinlock
    kobj: kobject
    uevent_ops: kset_uevent_ops
class kset_uevent_ops(KernelStruct):
    ...
class kstat(KernelStruct):
    ...
class ktermios(KernelStruct):
    c_iflag: u32
    c_oflag: u32
    c_cflag: u32
    c_lflag: u32
    c_line: u8
    c_cc: array[u8, Literal[19]]
    c_ispeed: u32
    c_ospeed: u32
class kthread_work(KernelStruct):
    node: list_head
    func: Any
    worker: kthread_worker
    canceling: i32
class kthread_worker(KernelStruct):
    ...
ktime_t: TypeAlias = i64
class kuid_t(KernelStruct):
    val: u32
class kvec(KernelStruct):
    iov_base: Any
    iov_len: u64
class l3mdev_ops(KernelStruct):
    ...
class latch_tree_node(KernelStruct):
    node: array[rb_node, Literal[2]]
class ld_semaphore(KernelStruct):
    count: atomic_long_t
    wait_lock: raw_spinlock
    wait_readers: u32
    read_wait: list_head
    write_wait: list_head
class ldt_struct(KernelStruct):
    entries: desc_struct
    nr_entries: u32
    slot: i32
class linux_binfmt(KernelStruct):
    lh: list_head
    module: _v.module
    load_binary: Any
    core_dump: Any
    min_coredump: u64
class linux_binprm(KernelStruct):
    vma: vm_area_struct
    vma_pages: u64
    argmin: u64
    mm: mm_struct
    p: u64
    have_execfd: u32
    execfd_creds: u32
    secureexec: u32
    point_of_no_return: u32
    comm_from_dentry: u32
    is_check: u32
    executable: _v.file
    interpreter: _v.file
    file: _v.file
    cred: _v.cred
    unsafe: i32
    per_clear: u32
    argc: i32
    envc: i32
    filename: ptr[u8]
    interp: ptr[u8]
    fdpath: ptr[u8]
    interp_flags: u32
    execfd: i32
    exec: u64
    rlim_stack: rlimit
    buf: array[char, Literal[256]]
class linux_mib(KernelStruct):
    ...
class linux_xfrm_mib(KernelStruct):
    ...
class list_head(KernelStruct):
    next: list_head
    prev: list_head
class list_lru(KernelStruct):
    node: list_lru_node
    list: list_head
    shrinker_id: i32
    memcg_aware: bool
    xa: xarray
class list_lru_node(KernelStruct):
    ...
class live_stack_query(KernelStruct):
    instances: array[func_instance, Literal[8]]
    curframe: u32
    insn_idx: u32
class llist_head(KernelStruct):
    first: llist_node
class llist_node(KernelStruct):
    next: llist_node
class load_weight(KernelStruct):
    weight: u64
    inv_weight: u32
class local64_t(KernelStruct):
    a: local_t
class local_lock_t(KernelStruct):
    ...
class local_ports(KernelStruct):
    range: u32
    warned: bool
class local_t(KernelStruct):
    a: atomic_long_t
class local_trylock_t(KernelStruct):
    acquired: u8
class lock_class_key(KernelStruct):
    ...
class lockdep_map(KernelStruct):
    ...
class lockdown_reason(IntEnum):
    LOCKDOWN_NONE = 0
    LOCKDOWN_MODULE_SIGNATURE = 1
    LOCKDOWN_DEV_MEM = 2
    LOCKDOWN_EFI_TEST = 3
    LOCKDOWN_KEXEC = 4
    LOCKDOWN_HIBERNATION = 5
    LOCKDOWN_PCI_ACCESS = 6
    LOCKDOWN_IOPORT = 7
    LOCKDOWN_MSR = 8
    LOCKDOWN_ACPI_TABLES = 9
    LOCKDOWN_DEVICE_TREE = 10
    LOCKDOWN_PCMCIA_CIS = 11
    LOCKDOWN_TIOCSSERIAL = 12
    LOCKDOWN_MODULE_PARAMETERS = 13
    LOCKDOWN_MMIOTRACE = 14
    LOCKDOWN_DEBUGFS = 15
    LOCKDOWN_XMON_WR = 16
    LOCKDOWN_BPF_WRITE_USER = 17
    LOCKDOWN_DBG_WRITE_KERNEL = 18
    LOCKDOWN_RTAS_ERROR_INJECTION = 19
    LOCKDOWN_XEN_USER_ACTIONS = 20
    LOCKDOWN_INTEGRITY_MAX = 21
    LOCKDOWN_KCORE = 22
    LOCKDOWN_KPROBES = 23
    LOCKDOWN_BPF_READ_KERNEL = 24
    LOCKDOWN_DBG_READ_KERNEL = 25
    LOCKDOWN_PERF = 26
    LOCKDOWN_TRACEFS = 27
    LOCKDOWN_XMON_RW = 28
    LOCKDOWN_XFRM_SECRET = 29
    LOCKDOWN_CONFIDENTIALITY_MAX = 30
class lockref(KernelStruct):
    lock_count: u64
    lock: spinlock
    count: i32
loff_t: TypeAlias = i64
class lpm_trie(KernelStruct):
    map: bpf_map
    root: lpm_trie_node
    ma: bpf_mem_alloc
    n_entries: u64
    max_prefixlen: u64
    data_size: u64
    lock: qspinlock
class lpm_trie_node(KernelStruct):
    ...
class lru_list(IntEnum):
    LRU_INACTIVE_ANON = 0
    LRU_ACTIVE_ANON = 1
    LRU_INACTIVE_FILE = 2
    LRU_ACTIVE_FILE = 3
    LRU_UNEVICTABLE = 4
    NR_LRU_LISTS = 5
class lsm_context(KernelStruct):
    ...
class lsm_ctx(KernelStruct):
    ...
class lsm_event(IntEnum):
    LSM_POLICY_CHANGE = 0
class lsm_integrity_type(IntEnum):
    LSM_INT_DMVERITY_SIG_VALID = 0
    LSM_INT_DMVERITY_ROOTHASH = 1
    LSM_INT_FSVERITY_BUILTINSIG_VALID = 2
class lsm_prop(KernelStruct):
    selinux: lsm_prop_selinux
    smack: lsm_prop_smack
    apparmor: lsm_prop_apparmor
    bpf: lsm_prop_bpf
class lsm_prop_apparmor(KernelStruct):
    ...
class lsm_prop_bpf(KernelStruct):
    secid: u32
class lsm_prop_selinux(KernelStruct):
    secid: u32
class lsm_prop_smack(KernelStruct):
    ...
class lwtunnel_state(KernelStruct):
    type: u16
    flags: u16
    headroom: u16
    refcnt: atomic_t
    orig_output: Any
    orig_input: Any
    rcu: callback_head
    data: array[u8, Literal[0]]
class maple_tree(KernelStruct):
    ma_lock: spinlock
    ma_flags: u32
    ma_root: Any
class mdio_device(KernelStruct):
    dev: device
    bus: mii_bus
    modalias: array[char, Literal[32]]
    bus_match: Any
    device_free: Any
    device_remove: Any
    addr: i32
    flags: i32
    reset_state: i32
    reset_gpio: Any
    reset_ctrl: Any
    reset_assert_delay: u32
    reset_deassert_delay: u32
class mem_cgroup(KernelStruct):
    css: cgroup_subsys_state
    id: mem_cgroup_id
    memory: page_counter
    swap: page_counter
    memsw: page_counter
    memory_peaks: list_head
    swap_peaks: list_head
    peaks_lock: spinlock
    high_work: work_struct
    zswap_max: u64
    zswap_writeback: bool
    vmpressure: _v.vmpressure
    oom_group: bool
    swappiness: i32
    events_file: cgroup_file
    events_local_file: cgroup_file
    swap_events_file: cgroup_file
    vmstats: memcg_vmstats
    memory_events: array[atomic_long_t, Literal[9]]
    memory_events_local: array[atomic_long_t, Literal[9]]
    socket_pressure: u64
    kmemcg_id: i32
    objcg: obj_cgroup
    orig_objcg: obj_cgroup
    objcg_list: list_head
    vmstats_percpu: memcg_vmstats_percpu
    cgwb_list: list_head
    cgwb_domain: wb_domain
    cgwb_frn: array[memcg_cgwb_frn, Literal[4]]
    deferred_split_queue: deferred_split
    kmem: page_counter
    tcpmem: page_counter
    events_percpu: memcg1_events_percpu
    soft_limit: u64
    shown_ram: u64
    oom_lock: bool
    under_oom: i32
    oom_kill_disable: i32
    thresholds_lock: mutex
    thresholds: mem_cgroup_thresholds
    memsw_thresholds: mem_cgroup_thresholds
    oom_notify: list_head
    tcpmem_active: bool
    tcpmem_pressure: i32
    event_list: list_head
    event_list_lock: spinlock
    nodeinfo: array[mem_cgroup_per_node, Literal[0]]
class mem_cgroup_id(KernelStruct):
    id: i32
    ref: refcount_struct
class mem_cgroup_per_node(KernelStruct):
    ...
class mem_cgroup_threshold_ary(KernelStruct):
    ...
class mem_cgroup_thresholds(KernelStruct):
    primary: mem_cgroup_threshold_ary
    spare: mem_cgroup_threshold_ary
class mem_dqinfo(KernelStruct):
    dqi_format: quota_format_type
    dqi_fmt_id: i32
    dqi_dirty_list: list_head
    dqi_flags: u64
    dqi_bgrace: u32
    dqi_igrace: u32
    dqi_max_spc_limit: i64
    dqi_max_ino_limit: i64
    dqi_priv: Any
class memcg1_events_percpu(KernelStruct):
    ...
class memcg_cgwb_frn(KernelStruct):
    bdi_id: u64
    memcg_id: i32
    at: u64
    done: wb_completion
class memcg_vmstats(KernelStruct):
    ...
class memcg_vmstats_percpu(KernelStruct):
    ...
class memdesc_flags_t(KernelStruct):
    f: u64
class memory_provider_ops(KernelStruct):
    ...
class memory_type(IntEnum):
    MEMORY_DEVICE_PRIVATE = 1
    MEMORY_DEVICE_COHERENT = 2
    MEMORY_DEVICE_FS_DAX = 3
    MEMORY_DEVICE_GENERIC = 4
    MEMORY_DEVICE_PCI_P2PDMA = 5
class mempolicy(KernelStruct):
    refcnt: atomic_t
    mode: u16
    flags: u16
    nodes: nodemask_t
    home_node: i32
    class w_t(KernelStruct):
        cpuset_mems_allowed: nodemask_t
        user_nodemask: nodemask_t
    w: w_t
    rcu: callback_head
class mempool(KernelStruct):
    lock: spinlock
    min_nr: i32
    curr_nr: i32
    elements: Any
    pool_data: Any
    alloc: Any
    free: Any
    wait: wait_queue_head
mempool_t: TypeAlias = mempool
class migrate_mode(IntEnum):
    MIGRATE_ASYNC = 0
    MIGRATE_SYNC_LIGHT = 1
    MIGRATE_SYNC = 2
class migratetype(IntEnum):
    MIGRATE_UNMOVABLE = 0
    MIGRATE_MOVABLE = 1
    MIGRATE_RECLAIMABLE = 2
    MIGRATE_PCPTYPES = 3
    MIGRATE_HIGHATOMIC = 3
    __MIGRATE_TYPE_END = 3
    MIGRATE_ISOLATE = 4
    MIGRATE_TYPES = 5
class mii_bus(KernelStruct):
    ...
class mii_timestamper(KernelStruct):
    ...
class minmax(KernelStruct):
    s: array[minmax_sample, Literal[3]]
class minmax_sample(KernelStruct):
    t: u32
    v: u32
class mm_cid(KernelStruct):
    time: u64
    cid: i32
    recent_cid: i32
class mm_context_t(KernelStruct):
    ctx_id: u64
    tlb_gen: atomic64_t
    next_trim_cpumask: u64
    ldt_usr_sem: rw_semaphore
    ldt: ldt_struct
    flags: u64
    lock: mutex
    vdso: Any
    vdso_image: _v.vdso_image
    perf_rdpmc_allowed: atomic_t
    pkey_allocation_map: u16
    execute_only_pkey: i16
    global_asid: u16
    asid_transition: bool
class mm_flags_t(KernelStruct):
    __mm_flags: array[u64, Literal[1]]
mm_id_mapcount_t: TypeAlias = i32
mm_id_t: TypeAlias = u32
class mm_struct(KernelStruct):
    mm_count: atomic_t
    mm_mt: maple_tree
    mmap_base: u64
    mmap_legacy_base: u64
    mmap_compat_base: u64
    mmap_compat_legacy_base: u64
    task_size: u64
    pgd: pgd_t
    membarrier_state: atomic_t
    mm_users: atomic_t
    pcpu_cid: mm_cid
    mm_cid_next_scan: u64
    nr_cpus_allowed: u32
    max_nr_cid: atomic_t
    cpus_allowed_lock: raw_spinlock
    pgtables_bytes: atomic_long_t
    map_count: i32
    page_table_lock: spinlock
    mmap_lock: rw_semaphore
    mmlist: list_head
    vma_writer_wait: rcuwait
    mm_lock_seq: seqcount
    futex_hash_lock: mutex
    futex_phash: futex_private_hash
    futex_phash_new: futex_private_hash
    futex_batches: u64
    futex_rcu: callback_head
    futex_atomic: atomic_long_t
    futex_ref: ptr[u32]
    hiwater_rss: u64
    hiwater_vm: u64
    total_vm: u64
    locked_vm: u64
    pinned_vm: atomic64_t
    data_vm: u64
    exec_vm: u64
    stack_vm: u64
    def_flags: u64
    write_protect_seq: seqcount
    arg_lock: spinlock
    start_code: u64
    end_code: u64
    start_data: u64
    end_data: u64
    start_brk: u64
    brk: u64
    start_stack: u64
    arg_start: u64
    arg_end: u64
    env_start: u64
    env_end: u64
    saved_auxv: array[u64, Literal[56]]
    rss_stat: array[percpu_counter, Literal[4]]
    binfmt: linux_binfmt
    context: mm_context_t
    flags: mm_flags_t
    ioctx_lock: spinlock
    ioctx_table: kioctx_table
    owner: task_struct
    user_ns: user_namespace
    exe_file: file
    notifier_subscriptions: mmu_notifier_subscriptions
    numa_next_scan: u64
    numa_scan_offset: u64
    numa_scan_seq: i32
    tlb_flush_pending: atomic_t
    tlb_flush_batched: atomic_t
    uprobes_state: _v.uprobes_state
    hugetlb_usage: atomic_long_t
    async_put_work: work_struct
    ksm_merging_pages: u64
    ksm_rmap_items: u64
    ksm_zero_pages: atomic_long_t
    mm_id: u32
    cpu_bitmap: array[u64, Literal[0]]
class mmu_notifier_subscriptions(KernelStruct):
    list: hlist_head
    has_itree: bool
    lock: spinlock
    invalidate_seq: u64
    active_invalidate_ranges: u64
    itree: rb_root_cached
    wq: wait_queue_head
    deferred_list: hlist_head
class mnt_idmap(KernelStruct):
    ...
class mnt_namespace(KernelStruct):
    ns: ns_common
    root: mount
    mounts: rb_root
    mnt_last_node: rb_node
    mnt_first_node: rb_node
    user_ns: user_namespace
    ucounts: _v.ucounts
    poll: wait_queue_head
    seq_origin: u64
    event: u64
    n_fsnotify_mask: u32
    n_fsnotify_marks: fsnotify_mark_connector
    nr_mounts: u32
    pending_mounts: u32
    passive: refcount_struct
class mnt_pcp(KernelStruct):
    mnt_count: i32
    mnt_writers: i32
class mod_arch_specific(KernelStruct):
    num_orcs: u32
    orc_unwind_ip: ptr[i32]
    orc_unwind: orc_entry
    its_pages: its_array
class mod_kallsyms(KernelStruct):
    symtab: elf64_sym
    num_symtab: u32
    strtab: ptr[u8]
    typetab: ptr[u8]
class module(KernelStruct):
    state: u32
    list: list_head
    name: array[char, Literal[56]]
    mkobj: module_kobject
    modinfo_attrs: module_attribute
    version: ptr[u8]
    srcversion: ptr[u8]
    holders_dir: kobject
    syms: Any
    crcs: ptr[u32]
    num_syms: u32
    param_lock: mutex
    kp: kernel_param
    num_kp: u32
    num_gpl_syms: u32
    gpl_syms: Any
    gpl_crcs: ptr[u32]
    using_gplonly_symbols: bool
    async_probe_requested: bool
    num_exentries: u32
    extable: exception_table_entry
    init: Any
    mem: array[module_memory, Literal[7]]
    arch: mod_arch_specific
    taints: u64
    num_bugs: u32
    bug_list: list_head
    bug_table: bug_entry
    kallsyms: mod_kallsyms
    core_kallsyms: mod_kallsyms
    sect_attrs: Any
    notes_attrs: Any
    args: ptr[u8]
    percpu: Any
    percpu_size: u32
    noinstr_text_start: Any
    noinstr_text_size: u32
    num_tracepoints: u32
    tracepoints_ptrs: ptr[i32]
    num_srcu_structs: u32
    srcu_struct_ptrs: Any
    num_bpf_raw_events: u32
    bpf_raw_events: bpf_raw_event_map
    jump_entries: jump_entry
    num_jump_entries: u32
    num_trace_bprintk_fmt: u32
    trace_bprintk_fmt_start: Any
    trace_events: Any
    num_trace_events: u32
    trace_evals: Any
    num_trace_evals: u32
    num_ftrace_callsites: u32
    ftrace_callsites: ptr[u64]
    num_static_call_sites: i32
    static_call_sites: static_call_site
class module_attribute(KernelStruct):
    ...
class module_kobject(KernelStruct):
    kobj: kobject
    mod: module
    drivers_dir: kobject
    mp: module_param_attrs
    kobj_completion: completion
class module_memory(KernelStruct):
    base: Any
    is_rox: bool
    size: u32
class module_param_attrs(KernelStruct):
    ...
class module_state(IntEnum):
    MODULE_STATE_LIVE = 0
    MODULE_STATE_COMING = 1
    MODULE_STATE_GOING = 2
    MODULE_STATE_UNFORMED = 3
class mount(KernelStruct):
    mnt_hash: hlist_node
    mnt_parent: mount
    mnt_mountpoint: dentry
    mnt: vfsmount
    mnt_node: rb_node
    mnt_rcu: callback_head
    mnt_llist: llist_node
    mnt_pcp: _v.mnt_pcp
    mnt_mounts: list_head
    mnt_child: list_head
    mnt_next_for_sb: mount
    mnt_pprev_for_sb: Any
    mnt_devname: ptr[u8]
    mnt_list: list_head
    mnt_expire: list_head
    mnt_share: list_head
    mnt_slave_list: hlist_head
    mnt_slave: hlist_node
    mnt_master: mount
    mnt_ns: mnt_namespace
    mnt_mp: mountpoint
    mnt_mp_list: hlist_node
    mnt_umount: hlist_node
    mnt_fsnotify_marks: fsnotify_mark_connector
    mnt_fsnotify_mask: u32
    to_notify: list_head
    prev_ns: mnt_namespace
    mnt_t_flags: i32
    mnt_id: i32
    mnt_id_unique: u64
    mnt_group_id: i32
    mnt_expiry_mark: i32
    mnt_pins: hlist_head
    mnt_stuck_children: hlist_head
    overmount: mount
class mountpoint(KernelStruct):
    m_hash: hlist_node
    m_dentry: dentry
    m_list: hlist_head
mpi_size_t: TypeAlias = i32
class mptcp_addr_info(KernelStruct):
    id: u8
    family: u16
    port: u16
    addr: in_addr
    addr6: in6_addr
class mptcp_data_frag(KernelStruct):
    ...
class mptcp_mib(KernelStruct):
    ...
class mptcp_pm_data(KernelStruct):
    local: mptcp_addr_info
    remote: mptcp_addr_info
    anno_list: list_head
    userspace_pm_local_addr_list: list_head
    lock: spinlock
    addr_signal: u8
    server_side: bool
    work_pending: bool
    accept_addr: bool
    accept_subflow: bool
    remote_deny_join_id0: bool
    add_addr_signaled: u8
    add_addr_accepted: u8
    local_addr_used: u8
    pm_type: u8
    extra_subflows: u8
    status: u8
    class reset_t(KernelStruct):
        addr_signal: u8
        server_side: bool
        work_pending: bool
        accept_addr: bool
        accept_subflow: bool
        remote_deny_join_id0: bool
        add_addr_signaled: u8
        add_addr_accepted: u8
        local_addr_used: u8
        pm_type: u8
        extra_subflows: u8
        status: u8
    reset: reset_t
    id_avail_bitmap: array[u64, Literal[4]]
    rm_list_tx: mptcp_rm_list
    rm_list_rx: mptcp_rm_list
class mptcp_rm_list(KernelStruct):
    ids: array[u8, Literal[8]]
    nr: u8
class mptcp_sched_ops(KernelStruct):
    ...
class mptcp_sock(KernelStruct):
    sk: inet_connection_sock
    local_key: u64
    remote_key: u64
    write_seq: u64
    bytes_sent: u64
    snd_nxt: u64
    bytes_received: u64
    ack_seq: u64
    rcv_wnd_sent: atomic64_t
    rcv_data_fin_seq: u64
    bytes_retrans: u64
    bytes_consumed: u64
    snd_burst: i32
    old_wspace: i32
    recovery_snd_nxt: u64
    bytes_acked: u64
    snd_una: u64
    wnd_end: u64
    last_data_sent: u32
    last_data_recv: u32
    last_ack_recv: u32
    timer_ival: u64
    token: u32
    flags: u64
    cb_flags: u64
    recovery: bool
    can_ack: bool
    fully_established: bool
    rcv_data_fin: bool
    snd_data_fin_enable: bool
    rcv_fastclose: bool
    use_64bit_ack: bool
    csum_enabled: bool
    allow_infinite_fallback: bool
    pending_state: u8
    mpc_endpoint_id: u8
    recvmsg_inq: u8
    cork: u8
    nodelay: u8
    fastopening: u8
    in_accept_queue: u8
    free_first: u8
    rcvspace_init: u8
    fastclosing: u8
    notsent_lowat: u32
    keepalive_cnt: i32
    keepalive_idle: i32
    keepalive_intvl: i32
    maxseg: i32
    work: work_struct
    ooo_last_skb: sk_buff
    out_of_order_queue: rb_root
    conn_list: list_head
    rtx_queue: list_head
    first_pending: mptcp_data_frag
    join_list: list_head
    first: sock
    pm: mptcp_pm_data
    sched: mptcp_sched_ops
    class rcvq_space_t(KernelStruct):
        space: i32
        copied: i32
        time: u64
        rtt_us: u64
    rcvq_space: rcvq_space_t
    scaling_ratio: u8
    allow_subflows: bool
    subflow_id: u32
    setsockopt_seq: u32
    ca_name: array[char, Literal[16]]
    fallback_lock: spinlock
class mq_attr(KernelStruct):
    mq_flags: i64
    mq_maxmsg: i64
    mq_msgsize: i64
    mq_curmsgs: i64
    __reserved: array[i64, Literal[4]]
class mq_rq_state(IntEnum):
    MQ_RQ_IDLE = 0
    MQ_RQ_IN_FLIGHT = 1
    MQ_RQ_COMPLETE = 2
mqd_t: TypeAlias = i32
class msg_msg(KernelStruct):
    ...
class msghdr(KernelStruct):
    msg_name: Any
    msg_namelen: i32
    msg_inq: i32
    msg_iter: iov_iter
    msg_control: Any
    msg_control_user: Any
    msg_control_is_user: bool
    msg_get_inq: bool
    msg_flags: u32
    msg_controllen: u64
    msg_iocb: kiocb
    msg_ubuf: ubuf_info
    sg_from_iter: Any
class msi_desc(KernelStruct):
    irq: u32
    nvec_used: u32
    dev: device
    msg: msi_msg
    affinity: irq_affinity_desc
    sysfs_attrs: device_attribute
    write_msi_msg: Any
    write_msi_msg_data: Any
    msi_index: u16
    pci: pci_msi_desc
    data: msi_desc_data
class msi_desc_data(KernelStruct):
    dcookie: msi_domain_cookie
    icookie: msi_instance_cookie
class msi_device_data(KernelStruct):
    ...
class msi_domain_cookie(KernelStruct):
    value: u64
    ptr: Any
    iobase: Any
class msi_instance_cookie(KernelStruct):
    value: u64
    ptr: Any
class msi_msg(KernelStruct):
    address_lo: u32
    arch_addr_lo: x86_msi_addr_lo
    address_hi: u32
    arch_addr_hi: x86_msi_addr_hi
    data: u32
    arch_data: x86_msi_data
class msi_parent_ops(KernelStruct):
    ...
class mutex(KernelStruct):
    owner: atomic_long_t
    wait_lock: raw_spinlock
    osq: optimistic_spin_queue
    wait_list: list_head
class nameidata(KernelStruct):
    path: _v.path
    last: qstr
    root: _v.path
    inode: _v.inode
    flags: u32
    state: u32
    seq: u32
    next_seq: u32
    m_seq: u32
    r_seq: u32
    last_type: i32
    depth: u32
    total_link_count: i32
    stack: _v.saved
    internal: array[_v.saved, Literal[2]]
    name: filename
    pathname: ptr[u8]
    saved: nameidata
    root_seq: u32
    dfd: i32
    dir_vfsuid: vfsuid_t
    dir_mode: u16
class napi_config(KernelStruct):
    gro_flush_timeout: u64
    irq_suspend_timeout: u64
    defer_hard_irqs: u32
    affinity_mask: cpumask
    threaded: u8
    napi_id: u32
class napi_struct(KernelStruct):
    poll_list: list_head
    state: u64
    weight: i32
    defer_hard_irqs_count: u32
    poll: Any
    list_owner: i32
    dev: net_device
    skb: sk_buff
    gro: gro_node
    timer: hrtimer
    thread: task_struct
    gro_flush_timeout: u64
    irq_suspend_timeout: u64
    defer_hard_irqs: u32
    napi_id: u32
    dev_list: list_head
    napi_hash_node: hlist_node
    irq: i32
    notify: irq_affinity_notify
    napi_rmap_idx: i32
    index: i32
    config: napi_config
class ndisc_ops(KernelStruct):
    ...
class ndmsg(KernelStruct):
    ...
class neigh_ops(KernelStruct):
    ...
class neigh_parms(KernelStruct):
    ...
class neigh_table(KernelStruct):
    ...
class neighbour(KernelStruct):
    hash: hlist_node
    dev_list: hlist_node
    tbl: neigh_table
    parms: neigh_parms
    confirmed: u64
    updated: u64
    lock: rwlock_t
    refcnt: refcount_struct
    arp_queue_len_bytes: u32
    arp_queue: sk_buff_head
    timer: timer_list
    used: u64
    probes: atomic_t
    nud_state: u8
    type: u8
    dead: u8
    protocol: u8
    flags: u32
    ha_lock: seqlock_t
    ha: array[u8, Literal[32]]
    hh: hh_cache
    output: Any
    ops: neigh_ops
    gc_list: list_head
    managed_list: list_head
    rcu: callback_head
    dev: net_device
    dev_tracker: netdevice_tracker
    primary_key: array[u8, Literal[0]]
class net(KernelStruct):
    passive: refcount_struct
    rules_mod_lock: spinlock
    dev_base_seq: u32
    ifindex: u32
    nsid_lock: spinlock
    fnhe_genid: atomic_t
    list: list_head
    exit_list: list_head
    defer_free_list: llist_node
    cleanup_list: llist_node
    ptype_all: list_head
    ptype_specific: list_head
    key_domain: key_tag
    user_ns: user_namespace
    ucounts: _v.ucounts
    netns_ids: idr
    ns: ns_common
    refcnt_tracker: ref_tracker_dir
    notrefcnt_tracker: ref_tracker_dir
    dev_base_head: list_head
    proc_net: proc_dir_entry
    proc_net_stat: proc_dir_entry
    sysctls: ctl_table_set
    rtnl: sock
    genl_sock: sock
    uevent_sock: _v.uevent_sock
    dev_name_head: hlist_head
    dev_index_head: hlist_head
    dev_by_index: xarray
    netdev_chain: raw_notifier_head
    hash_mix: u32
    loopback_dev: net_device
    rules_ops: list_head
    core: netns_core
    mib: netns_mib
    packet: netns_packet
    unx: netns_unix
    nexthop: netns_nexthop
    ipv4: netns_ipv4
    ipv6: netns_ipv6
    nf: netns_nf
    ct: netns_ct
    nft: netns_nftables
    gen: net_generic
    bpf: netns_bpf
    xfrm: netns_xfrm
    net_cookie: u64
    mpls: netns_mpls
    xdp: netns_xdp
    diag_nlsk: sock
class net_device(KernelStruct):
    __cacheline_group_begin__net_device_read_tx: array[u8, Literal[0]]
    priv_flags: u64
    lltx: u64
    netmem_tx: u64
    class priv_flags_fast_t(KernelStruct):
        priv_flags: u64
        lltx: u64
        netmem_tx: u64
    priv_flags_fast: priv_flags_fast_t
    netdev_ops: net_device_ops
    header_ops: _v.header_ops
    _tx: netdev_queue
    gso_partial_features: u64
    real_num_tx_queues: u32
    gso_max_size: u32
    gso_ipv4_max_size: u32
    gso_max_segs: u16
    num_tc: i16
    mtu: u32
    needed_headroom: u16
    tc_to_txq: array[netdev_tc_txq, Literal[16]]
    xps_maps: array[xps_dev_maps, Literal[2]]
    nf_hooks_egress: nf_hook_entries
    tcx_egress: bpf_mprog_entry
    __cacheline_group_end__net_device_read_tx: array[u8, Literal[0]]
    __cacheline_group_begin__net_device_read_txrx: array[u8, Literal[0]]
    lstats: pcpu_lstats
    tstats: pcpu_sw_netstats
    dstats: pcpu_dstats
    state: u64
    flags: u32
    hard_header_len: u16
    features: u64
    ip6_ptr: inet6_dev
    __cacheline_group_end__net_device_read_txrx: array[u8, Literal[0]]
    __cacheline_group_begin__net_device_read_rx: array[u8, Literal[0]]
    xdp_prog: bpf_prog
    ptype_specific: list_head
    ifindex: i32
    real_num_rx_queues: u32
    _rx: netdev_rx_queue
    gro_max_size: u32
    gro_ipv4_max_size: u32
    rx_handler: Any
    rx_handler_data: Any
    nd_net: possible_net_t
    tcx_ingress: bpf_mprog_entry
    __cacheline_group_end__net_device_read_rx: array[u8, Literal[0]]
    name: array[char, Literal[16]]
    name_node: netdev_name_node
    ifalias: dev_ifalias
    mem_end: u64
    mem_start: u64
    base_addr: u64
    dev_list: list_head
    napi_list: list_head
    unreg_list: list_head
    close_list: list_head
    ptype_all: list_head
    class adj_list_t(KernelStruct):
        upper: list_head
        lower: list_head
    adj_list: adj_list_t
    xdp_features: u32
    xdp_metadata_ops: _v.xdp_metadata_ops
    xsk_tx_metadata_ops: _v.xsk_tx_metadata_ops
    gflags: u16
    needed_tailroom: u16
    hw_features: u64
    wanted_features: u64
    vlan_features: u64
    hw_enc_features: u64
    mpls_features: u64
    mangleid_features: u64
    min_mtu: u32
    max_mtu: u32
    type: u16
    min_header_len: u8
    name_assign_type: u8
    group: i32
    stats: net_device_stats
    core_stats: net_device_core_stats
    carrier_up_count: atomic_t
    carrier_down_count: atomic_t
    ethtool_ops: _v.ethtool_ops
    l3mdev_ops: _v.l3mdev_ops
    ndisc_ops: _v.ndisc_ops
    operstate: u32
    link_mode: u8
    if_port: u8
    dma: u8
    perm_addr: array[u8, Literal[32]]
    addr_assign_type: u8
    addr_len: u8
    upper_level: u8
    lower_level: u8
    threaded: u8
    neigh_priv_len: u16
    dev_id: u16
    dev_port: u16
    irq: i32
    priv_len: u32
    addr_list_lock: spinlock
    uc: netdev_hw_addr_list
    mc: netdev_hw_addr_list
    dev_addrs: netdev_hw_addr_list
    queues_kset: kset
    promiscuity: u32
    allmulti: u32
    uc_promisc: bool
    ip_ptr: in_device
    fib_nh_head: hlist_head
    dev_addr: ptr[u8]
    num_rx_queues: u32
    xdp_zc_max_segs: u32
    ingress_queue: netdev_queue
    nf_hooks_ingress: nf_hook_entries
    broadcast: array[u8, Literal[32]]
    rx_cpu_rmap: cpu_rmap
    index_hlist: hlist_node
    num_tx_queues: u32
    qdisc: Qdisc
    tx_queue_len: u32
    tx_global_lock: spinlock
    xdp_bulkq: xdp_dev_bulk_queue
    qdisc_hash: array[hlist_head, Literal[16]]
    watchdog_timer: timer_list
    watchdog_timeo: i32
    watchdog_lock: spinlock
    watchdog_ref_held: bool
    proto_down_reason: u32
    todo_list: list_head
    pcpu_refcnt: ptr[i32]
    refcnt_tracker: ref_tracker_dir
    link_watch_list: list_head
    reg_state: u8
    dismantle: bool
    moving_ns: bool
    rtnl_link_initializing: bool
    needs_free_netdev: bool
    priv_destructor: Any
    ml_priv: Any
    ml_priv_type: u32
    pcpu_stat_type: u32
    dev: device
    sysfs_groups: array[attribute_group, Literal[5]]
    sysfs_rx_queue_group: attribute_group
    rtnl_link_ops: _v.rtnl_link_ops
    stat_ops: netdev_stat_ops
    queue_mgmt_ops: netdev_queue_mgmt_ops
    tso_max_size: u32
    tso_max_segs: u16
    dcbnl_ops: dcbnl_rtnl_ops
    prio_tc_map: array[u8, Literal[16]]
    priomap: netprio_map
    link_topo: phy_link_topology
    phydev: phy_device
    sfp_bus: Any
    qdisc_tx_busylock: lock_class_key
    proto_down: bool
    irq_affinity_auto: bool
    rx_cpu_rmap_auto: bool
    see_all_hwtstamp_requests: u64
    change_proto_down: u64
    netns_immutable: u64
    fcoe_mtu: u64
    net_notifier_list: list_head
    udp_tunnel_nic_info: _v.udp_tunnel_nic_info
    udp_tunnel_nic: _v.udp_tunnel_nic
    cfg: netdev_config
    cfg_pending: netdev_config
    ethtool: ethtool_netdev_state
    xdp_state: array[bpf_xdp_entity, Literal[3]]
    dev_addr_shadow: array[u8, Literal[32]]
    linkwatch_dev_tracker: netdevice_tracker
    watchdog_dev_tracker: netdevice_tracker
    dev_registered_tracker: netdevice_tracker
    offload_xstats_l3: rtnl_hw_stats64
    devlink_port: _v.devlink_port
    page_pools: hlist_head
    irq_moder: dim_irq_moder
    max_pacing_offload_horizon: u64
    napi_config: _v.napi_config
    num_napi_configs: u32
    napi_defer_hard_irqs: u32
    gro_flush_timeout: u64
    up: bool
    request_ops_lock: bool
    lock: mutex
    neighbours: array[hlist_head, Literal[2]]
    hwprov: hwtstamp_provider
    priv: array[u8, Literal[0]]
class net_device_core_stats(KernelStruct):
    rx_dropped: u64
    tx_dropped: u64
    rx_nohandler: u64
    rx_otherhost_dropped: u64
class net_device_ops(KernelStruct):
    ndo_init: Any
    ndo_uninit: Any
    ndo_open: Any
    ndo_stop: Any
    ndo_start_xmit: Any
    ndo_features_check: Any
    ndo_select_queue: Any
    ndo_change_rx_flags: Any
    ndo_set_rx_mode: Any
    ndo_set_mac_address: Any
    ndo_validate_addr: Any
    ndo_do_ioctl: Any
    ndo_eth_ioctl: Any
    ndo_siocbond: Any
    ndo_siocwandev: Any
    ndo_siocdevprivate: Any
    ndo_set_config: Any
    ndo_change_mtu: Any
    ndo_neigh_setup: Any
    ndo_tx_timeout: Any
    ndo_get_stats64: Any
    ndo_has_offload_stats: Any
    ndo_get_offload_stats: Any
    ndo_get_stats: Any
    ndo_vlan_rx_add_vid: Any
    ndo_vlan_rx_kill_vid: Any
    ndo_set_vf_mac: Any
    ndo_set_vf_vlan: Any
    ndo_set_vf_rate: Any
    ndo_set_vf_spoofchk: Any
    ndo_set_vf_trust: Any
    ndo_get_vf_config: Any
    ndo_set_vf_link_state: Any
    ndo_get_vf_stats: Any
    ndo_set_vf_port: Any
    ndo_get_vf_port: Any
    ndo_get_vf_guid: Any
    ndo_set_vf_guid: Any
    ndo_set_vf_rss_query_en: Any
    ndo_setup_tc: Any
    ndo_rx_flow_steer: Any
    ndo_add_slave: Any
    ndo_del_slave: Any
    ndo_get_xmit_slave: Any
    ndo_sk_get_lower_dev: Any
    ndo_fix_features: Any
    ndo_set_features: Any
    ndo_neigh_construct: Any
    ndo_neigh_destroy: Any
    ndo_fdb_add: Any
    ndo_fdb_del: Any
    ndo_fdb_del_bulk: Any
    ndo_fdb_dump: Any
    ndo_fdb_get: Any
    ndo_mdb_add: Any
    ndo_mdb_del: Any
    ndo_mdb_del_bulk: Any
    ndo_mdb_dump: Any
    ndo_mdb_get: Any
    ndo_bridge_setlink: Any
    ndo_bridge_getlink: Any
    ndo_bridge_dellink: Any
    ndo_change_carrier: Any
    ndo_get_phys_port_id: Any
    ndo_get_port_parent_id: Any
    ndo_get_phys_port_name: Any
    ndo_dfwd_add_station: Any
    ndo_dfwd_del_station: Any
    ndo_set_tx_maxrate: Any
    ndo_get_iflink: Any
    ndo_fill_metadata_dst: Any
    ndo_set_rx_headroom: Any
    ndo_bpf: Any
    ndo_xdp_xmit: Any
    ndo_xdp_get_xmit_slave: Any
    ndo_xsk_wakeup: Any
    ndo_tunnel_ctl: Any
    ndo_get_peer_dev: Any
    ndo_fill_forward_path: Any
    ndo_get_tstamp: Any
    ndo_hwtstamp_get: Any
    ndo_hwtstamp_set: Any
class net_device_path(KernelStruct):
    ...
class net_device_path_ctx(KernelStruct):
    ...
class net_device_stats(KernelStruct):
    rx_packets: u64
    __rx_packets: atomic_long_t
    tx_packets: u64
    __tx_packets: atomic_long_t
    rx_bytes: u64
    __rx_bytes: atomic_long_t
    tx_bytes: u64
    __tx_bytes: atomic_long_t
    rx_errors: u64
    __rx_errors: atomic_long_t
    tx_errors: u64
    __tx_errors: atomic_long_t
    rx_dropped: u64
    __rx_dropped: atomic_long_t
    tx_dropped: u64
    __tx_dropped: atomic_long_t
    multicast: u64
    __multicast: atomic_long_t
    collisions: u64
    __collisions: atomic_long_t
    rx_length_errors: u64
    __rx_length_errors: atomic_long_t
    rx_over_errors: u64
    __rx_over_errors: atomic_long_t
    rx_crc_errors: u64
    __rx_crc_errors: atomic_long_t
    rx_frame_errors: u64
    __rx_frame_errors: atomic_long_t
    rx_fifo_errors: u64
    __rx_fifo_errors: atomic_long_t
    rx_missed_errors: u64
    __rx_missed_errors: atomic_long_t
    tx_aborted_errors: u64
    __tx_aborted_errors: atomic_long_t
    tx_carrier_errors: u64
    __tx_carrier_errors: atomic_long_t
    tx_fifo_errors: u64
    __tx_fifo_errors: atomic_long_t
    tx_heartbeat_errors: u64
    __tx_heartbeat_errors: atomic_long_t
    tx_window_errors: u64
    __tx_window_errors: atomic_long_t
    rx_compressed: u64
    __rx_compressed: atomic_long_t
    tx_compressed: u64
    __tx_compressed: atomic_long_t
class net_generic(KernelStruct):
    class s_t(KernelStruct):
        len: u32
        rcu: callback_head
    s: s_t
    class __empty_ptr_t(KernelStruct):
        ...
    __empty_ptr: __empty_ptr_t
    ptr: array[Any, Literal[0]]
class net_rate_estimator(KernelStruct):
    ...
class netdev_bpf(KernelStruct):
    ...
class netdev_config(KernelStruct):
    hds_thresh: u32
    hds_config: u8
netdev_features_t: TypeAlias = u64
class netdev_hw_addr_list(KernelStruct):
    list: list_head
    count: i32
    tree: rb_root
class netdev_ml_priv_type(IntEnum):
    ML_PRIV_NONE = 0
    ML_PRIV_CAN = 1
class netdev_name_node(KernelStruct):
    hlist: hlist_node
    list: list_head
    dev: net_device
    name: ptr[u8]
    rcu: callback_head
class netdev_phys_item_id(KernelStruct):
    id: array[u8, Literal[32]]
    id_len: u8
class netdev_queue(KernelStruct):
    dev: net_device
    dev_tracker: netdevice_tracker
    qdisc: Qdisc
    qdisc_sleeping: Qdisc
    kobj: kobject
    groups: Any
    tx_maxrate: u64
    trans_timeout: atomic_long_t
    sb_dev: net_device
    pool: xsk_buff_pool
    dql: _v.dql
    _xmit_lock: spinlock
    xmit_lock_owner: i32
    trans_start: u64
    state: u64
    napi: napi_struct
    numa_node: i32
class netdev_queue_mgmt_ops(KernelStruct):
    ...
class netdev_rx_queue(KernelStruct):
    xdp_rxq: xdp_rxq_info
    rps_map: _v.rps_map
    rps_flow_table: rps_dev_flow_table
    kobj: kobject
    groups: Any
    dev: net_device
    dev_tracker: netdevice_tracker
    pool: xsk_buff_pool
    napi: napi_struct
    mp_params: pp_memory_provider_params
class netdev_stat_ops(KernelStruct):
    ...
class netdev_stat_type(IntEnum):
    NETDEV_PCPU_STAT_NONE = 0
    NETDEV_PCPU_STAT_LSTATS = 1
    NETDEV_PCPU_STAT_TSTATS = 2
    NETDEV_PCPU_STAT_DSTATS = 3
class netdev_tc_txq(KernelStruct):
    count: u16
    offset: u16
class netdev_tx(IntEnum):
    __NETDEV_TX_MIN = -2147483648
    NETDEV_TX_OK = 0
    NETDEV_TX_BUSY = 16
class netdev_tx_t(IntEnum):
    __NETDEV_TX_MIN = -2147483648
    NETDEV_TX_OK = 0
    NETDEV_TX_BUSY = 16
class netdevice_tracker(KernelStruct):
    ...
class netlink_callback(KernelStruct):
    skb: sk_buff
    nlh: nlmsghdr
    dump: Any
    done: Any
    data: Any
    module: _v.module
    extack: netlink_ext_ack
    family: u16
    answer_flags: u16
    min_dump_alloc: u32
    prev_seq: u32
    seq: u32
    flags: i32
    strict_check: bool
    ctx: array[u8, Literal[48]]
    args: array[i64, Literal[6]]
class netlink_ext_ack(KernelStruct):
    _msg: ptr[u8]
    bad_attr: nlattr
    policy: nla_policy
    miss_nest: nlattr
    miss_type: u16
    cookie: array[u8, Literal[8]]
    cookie_len: u8
    _msg_buf: array[char, Literal[80]]
class netlink_sock(KernelStruct):
    sk: sock
    flags: u64
    portid: u32
    dst_portid: u32
    dst_group: u32
    subscriptions: u32
    ngroups: u32
    groups: ptr[u64]
    state: u64
    max_recvmsg_len: u64
    wait: wait_queue_head
    bound: bool
    cb_running: bool
    dump_done_errno: i32
    cb: netlink_callback
    nl_cb_mutex: mutex
    netlink_rcv: Any
    netlink_bind: Any
    netlink_unbind: Any
    netlink_release: Any
    module: _v.module
    node: rhash_head
    rcu: callback_head
netmem_ref: TypeAlias = u64
class netns_bpf(KernelStruct):
    run_array: array[bpf_prog_array, Literal[2]]
    progs: array[bpf_prog, Literal[2]]
    links: array[list_head, Literal[2]]
class netns_bpf_attach_type(IntEnum):
    NETNS_BPF_INVALID = -1
    NETNS_BPF_FLOW_DISSECTOR = 0
    NETNS_BPF_SK_LOOKUP = 1
    MAX_NETNS_BPF_ATTACH_TYPE = 2
class netns_core(KernelStruct):
    sysctl_hdr: ctl_table_header
    sysctl_somaxconn: i32
    sysctl_optmem_max: i32
    sysctl_txrehash: u8
    sysctl_tstamp_allow_data: u8
    prot_inuse: _v.prot_inuse
    rps_default_mask: cpumask
class netns_ct(KernelStruct):
    ecache_dwork_pending: bool
    sysctl_log_invalid: u8
    sysctl_events: u8
    sysctl_acct: u8
    sysctl_tstamp: u8
    sysctl_checksum: u8
    stat: ip_conntrack_stat
    nf_conntrack_event_cb: nf_ct_event_notifier
    nf_ct_proto: nf_ip_net
    labels_used: atomic_t
class netns_ipv4(KernelStruct):
    __cacheline_group_begin__netns_ipv4_read_tx: array[u8, Literal[0]]
    sysctl_tcp_early_retrans: u8
    sysctl_tcp_tso_win_divisor: u8
    sysctl_tcp_tso_rtt_log: u8
    sysctl_tcp_autocorking: u8
    sysctl_tcp_min_snd_mss: i32
    sysctl_tcp_notsent_lowat: u32
    sysctl_tcp_limit_output_bytes: i32
    sysctl_tcp_min_rtt_wlen: i32
    sysctl_tcp_wmem: array[i32, Literal[3]]
    sysctl_ip_fwd_use_pmtu: u8
    __cacheline_group_end__netns_ipv4_read_tx: array[u8, Literal[0]]
    __cacheline_group_begin__netns_ipv4_read_txrx: array[u8, Literal[0]]
    sysctl_tcp_moderate_rcvbuf: u8
    __cacheline_group_end__netns_ipv4_read_txrx: array[u8, Literal[0]]
    __cacheline_group_begin__netns_ipv4_read_rx: array[u8, Literal[0]]
    sysctl_ip_early_demux: u8
    sysctl_tcp_early_demux: u8
    sysctl_tcp_l3mdev_accept: u8
    sysctl_tcp_reordering: i32
    sysctl_tcp_rmem: array[i32, Literal[3]]
    __cacheline_group_end__netns_ipv4_read_rx: array[u8, Literal[0]]
    __cacheline_group_begin__icmp: array[u8, Literal[0]]
    icmp_global_credit: atomic_t
    icmp_global_stamp: u32
    __cacheline_group_end__icmp: array[u8, Literal[0]]
    class __cacheline_group_pad__icmp_t(KernelStruct):
        ...
    __cacheline_group_pad__icmp: __cacheline_group_pad__icmp_t
    tcp_death_row: inet_timewait_death_row
    udp_table: _v.udp_table
    udp_tunnel_gro: array[_v.udp_tunnel_gro, Literal[2]]
    forw_hdr: ctl_table_header
    frags_hdr: ctl_table_header
    ipv4_hdr: ctl_table_header
    route_hdr: ctl_table_header
    xfrm4_hdr: ctl_table_header
    devconf_all: ipv4_devconf
    devconf_dflt: ipv4_devconf
    ra_chain: ip_ra_chain
    ra_mutex: mutex
    rules_ops: fib_rules_ops
    fib_main: fib_table
    fib_default: fib_table
    fib_rules_require_fldissect: u32
    fib_has_custom_rules: bool
    fib_has_custom_local_routes: bool
    fib_offload_disabled: bool
    sysctl_tcp_shrink_window: u8
    fib_num_tclassid_users: atomic_t
    fib_table_hash: hlist_head
    fibnl: sock
    fib_info_hash: hlist_head
    fib_info_hash_bits: u32
    fib_info_cnt: u32
    mc_autojoin_sk: sock
    peers: inet_peer_base
    fqdir: _v.fqdir
    sysctl_icmp_echo_ignore_all: u8
    sysctl_icmp_echo_enable_probe: u8
    sysctl_icmp_echo_ignore_broadcasts: u8
    sysctl_icmp_ignore_bogus_error_responses: u8
    sysctl_icmp_errors_use_inbound_ifaddr: u8
    sysctl_icmp_ratelimit: i32
    sysctl_icmp_ratemask: i32
    sysctl_icmp_msgs_per_sec: i32
    sysctl_icmp_msgs_burst: i32
    ip_rt_min_pmtu: u32
    ip_rt_mtu_expires: i32
    ip_rt_min_advmss: i32
    ip_local_ports: local_ports
    sysctl_tcp_ecn: u8
    sysctl_tcp_ecn_option: u8
    sysctl_tcp_ecn_option_beacon: u8
    sysctl_tcp_ecn_fallback: u8
    sysctl_ip_default_ttl: u8
    sysctl_ip_no_pmtu_disc: u8
    sysctl_ip_fwd_update_priority: u8
    sysctl_ip_nonlocal_bind: u8
    sysctl_ip_autobind_reuse: u8
    sysctl_ip_dynaddr: u8
    sysctl_raw_l3mdev_accept: u8
    sysctl_udp_early_demux: u8
    sysctl_nexthop_compat_mode: u8
    sysctl_fwmark_reflect: u8
    sysctl_tcp_fwmark_accept: u8
    sysctl_tcp_mtu_probing: u8
    sysctl_tcp_mtu_probe_floor: i32
    sysctl_tcp_base_mss: i32
    sysctl_tcp_probe_threshold: i32
    sysctl_tcp_probe_interval: u32
    sysctl_tcp_keepalive_time: i32
    sysctl_tcp_keepalive_intvl: i32
    sysctl_tcp_keepalive_probes: u8
    sysctl_tcp_syn_retries: u8
    sysctl_tcp_synack_retries: u8
    sysctl_tcp_syncookies: u8
    sysctl_tcp_migrate_req: u8
    sysctl_tcp_comp_sack_nr: u8
    sysctl_tcp_backlog_ack_defer: u8
    sysctl_tcp_pingpong_thresh: u8
    sysctl_tcp_retries1: u8
    sysctl_tcp_retries2: u8
    sysctl_tcp_orphan_retries: u8
    sysctl_tcp_tw_reuse: u8
    sysctl_tcp_tw_reuse_delay: u32
    sysctl_tcp_fin_timeout: i32
    sysctl_tcp_sack: u8
    sysctl_tcp_window_scaling: u8
    sysctl_tcp_timestamps: u8
    sysctl_tcp_rto_min_us: i32
    sysctl_tcp_rto_max_ms: i32
    sysctl_tcp_recovery: u8
    sysctl_tcp_thin_linear_timeouts: u8
    sysctl_tcp_slow_start_after_idle: u8
    sysctl_tcp_retrans_collapse: u8
    sysctl_tcp_stdurg: u8
    sysctl_tcp_rfc1337: u8
    sysctl_tcp_abort_on_overflow: u8
    sysctl_tcp_fack: u8
    sysctl_tcp_max_reordering: i32
    sysctl_tcp_adv_win_scale: i32
    sysctl_tcp_dsack: u8
    sysctl_tcp_app_win: u8
    sysctl_tcp_frto: u8
    sysctl_tcp_nometrics_save: u8
    sysctl_tcp_no_ssthresh_metrics_save: u8
    sysctl_tcp_workaround_signed_windows: u8
    sysctl_tcp_challenge_ack_limit: i32
    sysctl_tcp_min_tso_segs: u8
    sysctl_tcp_reflect_tos: u8
    sysctl_tcp_invalid_ratelimit: i32
    sysctl_tcp_pacing_ss_ratio: i32
    sysctl_tcp_pacing_ca_ratio: i32
    sysctl_tcp_child_ehash_entries: u32
    sysctl_tcp_comp_sack_delay_ns: u64
    sysctl_tcp_comp_sack_slack_ns: u64
    sysctl_max_syn_backlog: i32
    sysctl_tcp_fastopen: i32
    tcp_congestion_control: tcp_congestion_ops
    tcp_fastopen_ctx: tcp_fastopen_context
    sysctl_tcp_fastopen_blackhole_timeout: u32
    tfo_active_disable_times: atomic_t
    tfo_active_disable_stamp: u64
    tcp_challenge_timestamp: u32
    tcp_challenge_count: u32
    sysctl_tcp_plb_enabled: u8
    sysctl_tcp_plb_idle_rehash_rounds: u8
    sysctl_tcp_plb_rehash_rounds: u8
    sysctl_tcp_plb_suspend_rto_sec: u8
    sysctl_tcp_plb_cong_thresh: i32
    sysctl_udp_wmem_min: i32
    sysctl_udp_rmem_min: i32
    sysctl_fib_notify_on_flag_change: u8
    sysctl_tcp_syn_linear_timeouts: u8
    sysctl_udp_l3mdev_accept: u8
    sysctl_igmp_llm_reports: u8
    sysctl_igmp_max_memberships: i32
    sysctl_igmp_max_msf: i32
    sysctl_igmp_qrv: i32
    ping_group_range: _v.ping_group_range
    ping_port_rover: u16
    dev_addr_genid: atomic_t
    sysctl_udp_child_hash_entries: u32
    sysctl_local_reserved_ports: ptr[u64]
    sysctl_ip_prot_sock: i32
    mr_tables: list_head
    mr_rules_ops: fib_rules_ops
    sysctl_fib_multipath_hash_seed: _v.sysctl_fib_multipath_hash_seed
    sysctl_fib_multipath_hash_fields: u32
    sysctl_fib_multipath_use_neigh: u8
    sysctl_fib_multipath_hash_policy: u8
    notifier_ops: fib_notifier_ops
    fib_seq: u32
    ipmr_notifier_ops: fib_notifier_ops
    ipmr_seq: u32
    rt_genid: atomic_t
    ip_id_key: siphash_key_t
    inet_addr_lst: hlist_head
    addr_chk_work: delayed_work
class netns_ipv6(KernelStruct):
    ip6_dst_ops: dst_ops
    sysctl: netns_sysctl_ipv6
    devconf_all: ipv6_devconf
    devconf_dflt: ipv6_devconf
    peers: inet_peer_base
    fqdir: _v.fqdir
    fib6_null_entry: fib6_info
    ip6_null_entry: rt6_info
    rt6_stats: rt6_statistics
    ip6_fib_timer: timer_list
    fib_table_hash: hlist_head
    fib_table_hash_lock: spinlock
    fib6_main_tbl: fib6_table
    fib6_walkers: list_head
    fib6_walker_lock: rwlock_t
    fib6_gc_lock: spinlock
    ip6_rt_gc_expire: atomic_t
    ip6_rt_last_gc: u64
    flowlabel_has_excl: u8
    fib6_has_custom_rules: bool
    fib6_rules_require_fldissect: u32
    fib6_routes_require_src: u32
    ip6_prohibit_entry: rt6_info
    ip6_blk_hole_entry: rt6_info
    fib6_local_tbl: fib6_table
    fib6_rules_ops: fib_rules_ops
    ndisc_sk: sock
    tcp_sk: sock
    igmp_sk: sock
    mc_autojoin_sk: sock
    inet6_addr_lst: hlist_head
    addrconf_hash_lock: spinlock
    addr_chk_work: delayed_work
    mr6_tables: list_head
    mr6_rules_ops: fib_rules_ops
    dev_addr_genid: atomic_t
    fib6_sernum: atomic_t
    seg6_data: seg6_pernet_data
    notifier_ops: fib_notifier_ops
    ip6mr_notifier_ops: fib_notifier_ops
    ipmr_seq: u32
    class ip6addrlbl_table_t(KernelStruct):
        head: hlist_head
        lock: spinlock
        seq: u32
    ip6addrlbl_table: ip6addrlbl_table_t
    ioam6_data: ioam6_pernet_data
class netns_mib(KernelStruct):
    ip_statistics: ipstats_mib
    ipv6_statistics: ipstats_mib
    tcp_statistics: tcp_mib
    net_statistics: linux_mib
    udp_statistics: udp_mib
    udp_stats_in6: udp_mib
    xfrm_statistics: linux_xfrm_mib
    mptcp_statistics: mptcp_mib
    udplite_statistics: udp_mib
    udplite_stats_in6: udp_mib
    icmp_statistics: icmp_mib
    icmpmsg_statistics: icmpmsg_mib
    icmpv6_statistics: icmpv6_mib
    icmpv6msg_statistics: icmpv6msg_mib
    proc_net_devsnmp6: proc_dir_entry
class netns_mpls(KernelStruct):
    ip_ttl_propagate: i32
    default_ttl: i32
    platform_labels: u64
    platform_label: Any
    ctl: ctl_table_header
class netns_nexthop(KernelStruct):
    rb_root: _v.rb_root
    devhash: hlist_head
    seq: u32
    last_id_allocated: u32
    notifier_chain: blocking_notifier_head
class netns_nf(KernelStruct):
    proc_netfilter: proc_dir_entry
    nf_loggers: array[nf_logger, Literal[11]]
    nf_log_dir_header: ctl_table_header
    nf_lwtnl_dir_header: ctl_table_header
    hooks_ipv4: array[nf_hook_entries, Literal[5]]
    hooks_ipv6: array[nf_hook_entries, Literal[5]]
    hooks_arp: array[nf_hook_entries, Literal[3]]
    hooks_bridge: array[nf_hook_entries, Literal[5]]
    defrag_ipv4_users: u32
    defrag_ipv6_users: u32
class netns_nftables(KernelStruct):
    base_seq: u32
    gencursor: u8
class netns_packet(KernelStruct):
    sklist_lock: mutex
    sklist: hlist_head
class netns_sysctl_ipv6(KernelStruct):
    hdr: ctl_table_header
    route_hdr: ctl_table_header
    icmp_hdr: ctl_table_header
    frags_hdr: ctl_table_header
    xfrm6_hdr: ctl_table_header
    flush_delay: i32
    ip6_rt_max_size: i32
    ip6_rt_gc_min_interval: i32
    ip6_rt_gc_timeout: i32
    ip6_rt_gc_interval: i32
    ip6_rt_gc_elasticity: i32
    ip6_rt_mtu_expires: i32
    ip6_rt_min_advmss: i32
    multipath_hash_fields: u32
    multipath_hash_policy: u8
    bindv6only: u8
    flowlabel_consistency: u8
    auto_flowlabels: u8
    icmpv6_time: i32
    icmpv6_echo_ignore_all: u8
    icmpv6_echo_ignore_multicast: u8
    icmpv6_echo_ignore_anycast: u8
    icmpv6_ratemask: array[u64, Literal[4]]
    icmpv6_ratemask_ptr: ptr[u64]
    anycast_src_echo_reply: u8
    ip_nonlocal_bind: u8
    fwmark_reflect: u8
    flowlabel_state_ranges: u8
    idgen_retries: i32
    idgen_delay: i32
    flowlabel_reflect: i32
    max_dst_opts_cnt: i32
    max_hbh_opts_cnt: i32
    max_dst_opts_len: i32
    max_hbh_opts_len: i32
    seg6_flowlabel: i32
    ioam6_id: u32
    ioam6_id_wide: u64
    skip_notify_on_dev_down: u8
    fib_notify_on_flag_change: u8
    icmpv6_error_anycast_as_unicast: u8
class netns_tracker(KernelStruct):
    ...
class netns_unix(KernelStruct):
    table: unix_table
    sysctl_max_dgram_qlen: i32
    ctl: ctl_table_header
class netns_xdp(KernelStruct):
    lock: mutex
    list: hlist_head
class netns_xfrm(KernelStruct):
    state_all: list_head
    state_bydst: hlist_head
    state_bysrc: hlist_head
    state_byspi: hlist_head
    state_byseq: hlist_head
    state_cache_input: hlist_head
    state_hmask: u32
    state_num: u32
    state_hash_work: work_struct
    policy_all: list_head
    policy_byidx: hlist_head
    policy_idx_hmask: u32
    idx_generator: u32
    policy_bydst: array[xfrm_policy_hash, Literal[3]]
    policy_count: array[u32, Literal[6]]
    policy_hash_work: work_struct
    policy_hthresh: xfrm_policy_hthresh
    inexact_bins: list_head
    nlsk: sock
    nlsk_stash: sock
    sysctl_aevent_etime: u32
    sysctl_aevent_rseqth: u32
    sysctl_larval_drop: i32
    sysctl_acq_expires: u32
    policy_default: array[u8, Literal[3]]
    sysctl_hdr: ctl_table_header
    xfrm4_dst_ops: dst_ops
    xfrm6_dst_ops: dst_ops
    xfrm_state_lock: spinlock
    xfrm_state_hash_generation: seqcount_spinlock
    xfrm_policy_hash_generation: seqcount_spinlock
    xfrm_policy_lock: spinlock
    xfrm_cfg_mutex: mutex
    nat_keepalive_work: delayed_work
class netprio_map(KernelStruct):
    rcu: callback_head
    priomap_len: u32
    priomap: array[u32, Literal[0]]
class new_utsname(KernelStruct):
    sysname: array[char, Literal[65]]
    nodename: array[char, Literal[65]]
    release: array[char, Literal[65]]
    version: array[char, Literal[65]]
    machine: array[char, Literal[65]]
    domainname: array[char, Literal[65]]
class nexthop(KernelStruct):
    rb_node: _v.rb_node
    fi_list: list_head
    f6i_list: list_head
    fdb_list: list_head
    grp_list: list_head
    net: _v.net
    id: u32
    protocol: u8
    nh_flags: u8
    is_group: bool
    dead: bool
    lock: spinlock
    refcnt: refcount_struct
    rcu: callback_head
    nh_info: _v.nh_info
    nh_grp: nh_group
class nf_conn(KernelStruct):
    ct_general: nf_conntrack
    lock: spinlock
    timeout: u32
    zone: nf_conntrack_zone
    tuplehash: array[nf_conntrack_tuple_hash, Literal[2]]
    status: u64
    ct_net: possible_net_t
    nat_bysource: hlist_node
    class __nfct_init_offset_t(KernelStruct):
        ...
    __nfct_init_offset: __nfct_init_offset_t
    master: nf_conn
    mark: u32
    secmark: u32
    ext: nf_ct_ext
    proto: nf_conntrack_proto
class nf_conn___init(KernelStruct):
    ...
class nf_conntrack(KernelStruct):
    use: refcount_struct
class nf_conntrack_man(KernelStruct):
    u3: nf_inet_addr
    u: nf_conntrack_man_proto
    l3num: u16
class nf_conntrack_man_proto(KernelStruct):
    all: u16
    class tcp_t(KernelStruct):
        port: u16
    tcp: tcp_t
    class udp_t(KernelStruct):
        port: u16
    udp: udp_t
    class icmp_t(KernelStruct):
        id: u16
    icmp: icmp_t
    class dccp_t(KernelStruct):
        port: u16
    dccp: dccp_t
    class sctp_t(KernelStruct):
        port: u16
    sctp: sctp_t
    class gre_t(KernelStruct):
        key: u16
    gre: gre_t
class nf_conntrack_proto(KernelStruct):
    sctp: ip_ct_sctp
    tcp: ip_ct_tcp
    udp: nf_ct_udp
    gre: nf_ct_gre
    tmpl_padto: u32
class nf_conntrack_tuple(KernelStruct):
    src: nf_conntrack_man
    class dst_t(KernelStruct):
        u3: nf_inet_addr
        class u_t(KernelStruct):
            all: u16
            class tcp_t(KernelStruct):
                port: u16
            tcp: tcp_t
            class udp_t(KernelStruct):
                port: u16
            udp: udp_t
            class icmp_t(KernelStruct):
                type: u8
                code: u8
            icmp: icmp_t
            class dccp_t(KernelStruct):
                port: u16
            dccp: dccp_t
            class sctp_t(KernelStruct):
                port: u16
            sctp: sctp_t
            class gre_t(KernelStruct):
                key: u16
            gre: gre_t
        u: u_t
        protonum: u8
        class __nfct_hash_offsetend_t(KernelStruct):
            ...
        __nfct_hash_offsetend: __nfct_hash_offsetend_t
        dir: u8
    dst: dst_t
class nf_conntrack_tuple_hash(KernelStruct):
    hnnode: hlist_nulls_node
    tuple: nf_conntrack_tuple
class nf_conntrack_zone(KernelStruct):
    id: u16
    flags: u8
    dir: u8
class nf_ct_event_notifier(KernelStruct):
    ...
class nf_ct_ext(KernelStruct):
    offset: array[u8, Literal[9]]
    len: u8
    data: array[char, Literal[0]]
class nf_ct_gre(KernelStruct):
    stream_timeout: u32
    timeout: u32
class nf_ct_udp(KernelStruct):
    stream_ts: u64
class nf_defrag_hook(KernelStruct):
    ...
class nf_generic_net(KernelStruct):
    timeout: u32
class nf_gre_net(KernelStruct):
    keymap_list: list_head
    timeouts: array[u32, Literal[2]]
class nf_hook_entries(KernelStruct):
    num_hook_entries: u16
    hooks: array[nf_hook_entry, Literal[0]]
class nf_hook_entry(KernelStruct):
    hook: Any
    priv: Any
class nf_hook_ops(KernelStruct):
    list: list_head
    rcu: callback_head
    hook: Any
    dev: net_device
    priv: Any
    pf: u8
    hook_ops_type: u32
    hooknum: u32
    priority: i32
class nf_hook_ops_type(IntEnum):
    NF_HOOK_OP_UNDEFINED = 0
    NF_HOOK_OP_NF_TABLES = 1
    NF_HOOK_OP_BPF = 2
    NF_HOOK_OP_NFT_FT = 3
class nf_hook_state(KernelStruct):
    hook: u8
    pf: u8
    in_: net_device
    out: net_device
    sk: sock
    net: _v.net
    okfn: Any
class nf_icmp_net(KernelStruct):
    timeout: u32
class nf_inet_addr(KernelStruct):
    all: array[u32, Literal[4]]
    ip: u32
    ip6: array[u32, Literal[4]]
    in_: in_addr
    in6: in6_addr
class nf_inet_hooks(IntEnum):
    NF_INET_PRE_ROUTING = 0
    NF_INET_LOCAL_IN = 1
    NF_INET_FORWARD = 2
    NF_INET_LOCAL_OUT = 3
    NF_INET_POST_ROUTING = 4
    NF_INET_NUMHOOKS = 5
    NF_INET_INGRESS = 5
class nf_ip_net(KernelStruct):
    generic: nf_generic_net
    tcp: nf_tcp_net
    udp: nf_udp_net
    icmp: nf_icmp_net
    icmpv6: nf_icmp_net
    sctp: nf_sctp_net
    gre: nf_gre_net
class nf_logger(KernelStruct):
    ...
class nf_nat_manip_type(IntEnum):
    NF_NAT_MANIP_SRC = 0
    NF_NAT_MANIP_DST = 1
class nf_sctp_net(KernelStruct):
    timeouts: array[u32, Literal[10]]
class nf_tcp_net(KernelStruct):
    timeouts: array[u32, Literal[14]]
    tcp_loose: u8
    tcp_be_liberal: u8
    tcp_max_retrans: u8
    tcp_ignore_invalid_rst: u8
class nf_udp_net(KernelStruct):
    timeouts: array[u32, Literal[2]]
class nh_group(KernelStruct):
    ...
class nh_info(KernelStruct):
    ...
class nla_policy(KernelStruct):
    ...
class nlattr(KernelStruct):
    ...
nlink_t: TypeAlias = u32
class nlmsghdr(KernelStruct):
    nlmsg_len: u32
    nlmsg_type: u16
    nlmsg_flags: u16
    nlmsg_seq: u32
    nlmsg_pid: u32
class node_barn(KernelStruct):
    ...
class node_stat_item(IntEnum):
    NR_LRU_BASE = 0
    NR_INACTIVE_ANON = 0
    NR_ACTIVE_ANON = 1
    NR_INACTIVE_FILE = 2
    NR_ACTIVE_FILE = 3
    NR_UNEVICTABLE = 4
    NR_SLAB_RECLAIMABLE_B = 5
    NR_SLAB_UNRECLAIMABLE_B = 6
    NR_ISOLATED_ANON = 7
    NR_ISOLATED_FILE = 8
    WORKINGSET_NODES = 9
    WORKINGSET_REFAULT_BASE = 10
    WORKINGSET_REFAULT_ANON = 10
    WORKINGSET_REFAULT_FILE = 11
    WORKINGSET_ACTIVATE_BASE = 12
    WORKINGSET_ACTIVATE_ANON = 12
    WORKINGSET_ACTIVATE_FILE = 13
    WORKINGSET_RESTORE_BASE = 14
    WORKINGSET_RESTORE_ANON = 14
    WORKINGSET_RESTORE_FILE = 15
    WORKINGSET_NODERECLAIM = 16
    NR_ANON_MAPPED = 17
    NR_FILE_MAPPED = 18
    NR_FILE_PAGES = 19
    NR_FILE_DIRTY = 20
    NR_WRITEBACK = 21
    NR_SHMEM = 22
    NR_SHMEM_THPS = 23
    NR_SHMEM_PMDMAPPED = 24
    NR_FILE_THPS = 25
    NR_FILE_PMDMAPPED = 26
    NR_ANON_THPS = 27
    NR_VMSCAN_WRITE = 28
    NR_VMSCAN_IMMEDIATE = 29
    NR_DIRTIED = 30
    NR_WRITTEN = 31
    NR_THROTTLED_WRITTEN = 32
    NR_KERNEL_MISC_RECLAIMABLE = 33
    NR_FOLL_PIN_ACQUIRED = 34
    NR_FOLL_PIN_RELEASED = 35
    NR_KERNEL_STACK_KB = 36
    NR_PAGETABLE = 37
    NR_SECONDARY_PAGETABLE = 38
    NR_IOMMU_PAGES = 39
    NR_SWAPCACHE = 40
    PGPROMOTE_SUCCESS = 41
    PGPROMOTE_CANDIDATE = 42
    PGPROMOTE_CANDIDATE_NRL = 43
    PGDEMOTE_KSWAPD = 44
    PGDEMOTE_DIRECT = 45
    PGDEMOTE_KHUGEPAGED = 46
    PGDEMOTE_PROACTIVE = 47
    NR_HUGETLB = 48
    NR_BALLOON_PAGES = 49
    NR_KERNEL_FILE_PAGES = 50
    NR_VM_NODE_STAT_ITEMS = 51
class nodemask_t(KernelStruct):
    bits: array[u64, Literal[16]]
class notification(KernelStruct):
    ...
class notifier_block(KernelStruct):
    notifier_call: Any
    next: notifier_block
    priority: i32
class ns_common(KernelStruct):
    ns_type: u32
    stashed: dentry
    ops: proc_ns_operations
    inum: u32
    __ns_ref: refcount_struct
    ns_id: u64
    ns_tree_node: rb_node
    ns_list_node: list_head
    ns_rcu: callback_head
class nsproxy(KernelStruct):
    count: refcount_struct
    uts_ns: uts_namespace
    ipc_ns: ipc_namespace
    mnt_ns: mnt_namespace
    pid_ns_for_children: pid_namespace
    net_ns: net
    time_ns: time_namespace
    time_ns_for_children: time_namespace
    cgroup_ns: cgroup_namespace
class numa_drop_counters(KernelStruct):
    drops0: atomic_t
    drops1: atomic_t
class numa_group(KernelStruct):
    refcount: refcount_struct
    lock: spinlock
    nr_tasks: i32
    gid: i32
    active_nodes: i32
    rcu: callback_head
    total_faults: u64
    max_faults_cpu: u64
    faults: array[u64, Literal[0]]
class numa_vmaskip_reason(IntEnum):
    NUMAB_SKIP_UNSUITABLE = 0
    NUMAB_SKIP_SHARED_RO = 1
    NUMAB_SKIP_INACCESSIBLE = 2
    NUMAB_SKIP_SCAN_DELAY = 3
    NUMAB_SKIP_PID_INACTIVE = 4
    NUMAB_SKIP_IGNORE_PID = 5
    NUMAB_SKIP_SEQ_COMPLETED = 6
class obj_cgroup(KernelStruct):
    refcnt: percpu_ref
    memcg: mem_cgroup
    nr_charged_bytes: atomic_t
    list: list_head
    rcu: callback_head
old_gid_t: TypeAlias = u16
old_time32_t: TypeAlias = i32
class old_timespec32(KernelStruct):
    tv_sec: i32
    tv_nsec: i32
old_uid_t: TypeAlias = u16
class oom_constraint(IntEnum):
    CONSTRAINT_NONE = 0
    CONSTRAINT_CPUSET = 1
    CONSTRAINT_MEMORY_POLICY = 2
    CONSTRAINT_MEMCG = 3
class oom_control(KernelStruct):
    zonelist: _v.zonelist
    nodemask: nodemask_t
    memcg: mem_cgroup
    gfp_mask: u32
    order: i32
    totalpages: u64
    chosen: task_struct
    chosen_points: i64
    constraint: u32
class open_flags(KernelStruct):
    ...
class open_how(KernelStruct):
    flags: u64
    mode: u64
    resolve: u64
class optimistic_spin_queue(KernelStruct):
    tail: atomic_t
class orc_entry(KernelStruct):
    ...
class pacct_struct(KernelStruct):
    ac_flag: i32
    ac_exitcode: i64
    ac_mem: u64
    ac_utime: u64
    ac_stime: u64
    ac_minflt: u64
    ac_majflt: u64
class packet_fanout(KernelStruct):
    ...
class packet_mclist(KernelStruct):
    ...
class packet_ring_buffer(KernelStruct):
    pg_vec: pgv
    head: u32
    frames_per_block: u32
    frame_size: u32
    frame_max: u32
    pg_vec_order: u32
    pg_vec_pages: u32
    pg_vec_len: u32
    pending_refcnt: ptr[u32]
    rx_owner_map: ptr[u64]
    prb_bdqc: tpacket_kbdq_core
class packet_rollover(KernelStruct):
    ...
class packet_sock(KernelStruct):
    sk: sock
    fanout: packet_fanout
    stats: tpacket_stats_u
    rx_ring: packet_ring_buffer
    tx_ring: packet_ring_buffer
    copy_thresh: i32
    bind_lock: spinlock
    pg_vec_lock: mutex
    flags: u64
    ifindex: i32
    vnet_hdr_sz: u8
    num: u16
    rollover: packet_rollover
    mclist: packet_mclist
    mapped: atomic_long_t
    tp_version: u32
    tp_hdrlen: u32
    tp_reserve: u32
    tp_tstamp: u32
    skb_completion: completion
    cached_dev: net_device
    prot_hook: packet_type
    tp_drops: atomic_t
class packet_type(KernelStruct):
    type: u16
    ignore_outgoing: bool
    dev: net_device
    dev_tracker: netdevice_tracker
    func: Any
    list_func: Any
    id_match: Any
    af_packet_net: net
    af_packet_priv: Any
    list: list_head
class page(KernelStruct):
    flags: memdesc_flags_t
    lru: list_head
    buddy_list: list_head
    pcp_list: list_head
    pcp_llist: llist_node
    mapping: address_space
    __folio_index: u64
    share: u64
    buddy_since: u64
    private: u64
    pp_magic: u64
    pp: page_pool
    _pp_mapping_pad: u64
    dma_addr: u64
    pp_ref_count: atomic_long_t
    compound_head: u64
    _unused_pgmap_compound_head: Any
    zone_device_data: Any
    callback_head: _v.callback_head
    page_type: u32
    _mapcount: atomic_t
    _refcount: atomic_t
    memcg_data: u64
class page_counter(KernelStruct):
    usage: atomic_long_t
    failcnt: u64
    _pad1_: cacheline_padding
    emin: u64
    min_usage: atomic_long_t
    children_min_usage: atomic_long_t
    elow: u64
    low_usage: atomic_long_t
    children_low_usage: atomic_long_t
    watermark: u64
    local_watermark: u64
    _pad2_: cacheline_padding
    protection_support: bool
    track_failcnt: bool
    min: u64
    low: u64
    high: u64
    max: u64
    parent: page_counter
class page_frag(KernelStruct):
    page: _v.page
    offset: u32
    size: u32
class page_pool(KernelStruct):
    p: page_pool_params_fast
    cpuid: i32
    pages_state_hold_cnt: u32
    has_init_callback: bool
    dma_map: bool
    dma_sync: bool
    dma_sync_for_cpu: bool
    __cacheline_group_begin__frag: array[u8, Literal[0]]
    frag_users: i64
    frag_page: u64
    frag_offset: u32
    __cacheline_group_end__frag: array[u8, Literal[0]]
    class __cacheline_group_pad__frag_t(KernelStruct):
        ...
    __cacheline_group_pad__frag: __cacheline_group_pad__frag_t
    release_dw: delayed_work
    disconnect: Any
    defer_start: u64
    defer_warn: u64
    xdp_mem_id: u32
    alloc: pp_alloc_cache
    ring: ptr_ring
    mp_priv: Any
    mp_ops: memory_provider_ops
    dma_mapped: xarray
    pages_state_release_cnt: atomic_t
    user_cnt: refcount_struct
    destroy_cnt: u64
    slow: page_pool_params_slow
    class user_t(KernelStruct):
        list: hlist_node
        detach_time: i64
        id: u32
    user: user_t
class page_pool_params_fast(KernelStruct):
    order: u32
    pool_size: u32
    nid: i32
    dev: device
    napi: napi_struct
    dma_dir: u32
    max_len: u32
    offset: u32
class page_pool_params_slow(KernelStruct):
    netdev: net_device
    queue_idx: u32
    flags: u32
    init_callback: Any
    init_arg: Any
class pageflags(IntEnum):
    PG_locked = 0
    PG_writeback = 1
    PG_referenced = 2
    PG_uptodate = 3
    PG_dirty = 4
    PG_lru = 5
    PG_head = 6
    PG_waiters = 7
    PG_active = 8
    PG_workingset = 9
    PG_owner_priv_1 = 10
    PG_owner_2 = 11
    PG_arch_1 = 12
    PG_reserved = 13
    PG_private = 14
    PG_private_2 = 15
    PG_reclaim = 16
    PG_swapbacked = 17
    PG_unevictable = 18
    PG_dropbehind = 19
    PG_mlocked = 20
    PG_young = 21
    PG_idle = 22
    PG_arch_2 = 23
    __NR_PAGEFLAGS = 24
    PG_readahead = 16
    PG_swapcache = 10
    PG_checked = 10
    PG_anon_exclusive = 11
    PG_mappedtodisk = 11
    PG_fscache = 15
    PG_pinned = 10
    PG_savepinned = 4
    PG_foreign = 10
    PG_xen_remapped = 10
    PG_movable_ops_isolated = 16
    PG_movable_ops = 3
    PG_reported = 3
    PG_vmemmap_self_hosted = 10
    PG_has_hwpoisoned = 8
    PG_large_rmappable = 9
    PG_partially_mapped = 16
class partition_meta_info(KernelStruct):
    uuid: array[char, Literal[37]]
    volname: array[u8, Literal[64]]
class path(KernelStruct):
    mnt: vfsmount
    dentry: _v.dentry
class pci_msi_desc(KernelStruct):
    msi_mask: u32
    msix_ctrl: u32
    class msi_attrib_t(KernelStruct):
        is_msix: u8
        multiple: u8
        multi_cap: u8
        can_mask: u8
        is_64: u8
        is_virtual: u8
        default_irq: u32
    msi_attrib: msi_attrib_t
    mask_pos: u8
    mask_base: Any
class pcpu_dstats(KernelStruct):
    rx_packets: u64_stats_t
    rx_bytes: u64_stats_t
    tx_packets: u64_stats_t
    tx_bytes: u64_stats_t
    rx_drops: u64_stats_t
    tx_drops: u64_stats_t
    syncp: u64_stats_sync
class pcpu_fc(IntEnum):
    PCPU_FC_AUTO = 0
    PCPU_FC_EMBED = 1
    PCPU_FC_PAGE = 2
    PCPU_FC_NR = 3
class pcpu_freelist(KernelStruct):
    freelist: pcpu_freelist_head
class pcpu_freelist_head(KernelStruct):
    ...
class pcpu_lstats(KernelStruct):
    packets: u64_stats_t
    bytes: u64_stats_t
    syncp: u64_stats_sync
class pcpu_sw_netstats(KernelStruct):
    rx_packets: u64_stats_t
    rx_bytes: u64_stats_t
    tx_packets: u64_stats_t
    tx_bytes: u64_stats_t
    syncp: u64_stats_sync
class percpu_counter(KernelStruct):
    lock: raw_spinlock
    count: i64
    list: list_head
    counters: ptr[i32]
class percpu_ref(KernelStruct):
    percpu_count_ptr: u64
    data: percpu_ref_data
class percpu_ref_data(KernelStruct):
    ...
class percpu_rw_semaphore(KernelStruct):
    rss: rcu_sync
    read_count: ptr[u32]
    writer: rcuwait
    waiters: wait_queue_head
    block: atomic_t
class perf_addr_filter_action_t(IntEnum):
    PERF_ADDR_FILTER_ACTION_STOP = 0
    PERF_ADDR_FILTER_ACTION_START = 1
    PERF_ADDR_FILTER_ACTION_FILTER = 2
class perf_addr_filter_range(KernelStruct):
    start: u64
    size: u64
class perf_addr_filters_head(KernelStruct):
    list: list_head
    lock: raw_spinlock
    nr_file_filters: u32
class perf_adl_uncore_imc_freerunning_types(IntEnum):
    ADL_MMIO_UNCORE_IMC_DATA_TOTAL = 0
    ADL_MMIO_UNCORE_IMC_DATA_READ = 1
    ADL_MMIO_UNCORE_IMC_DATA_WRITE = 2
    ADL_MMIO_UNCORE_IMC_FREERUNNING_TYPE_MAX = 3
class perf_bpf_event_type(IntEnum):
    PERF_BPF_EVENT_UNKNOWN = 0
    PERF_BPF_EVENT_PROG_LOAD = 1
    PERF_BPF_EVENT_PROG_UNLOAD = 2
    PERF_BPF_EVENT_MAX = 3
class perf_branch_entry(KernelStruct):
    from_: u64
    to: u64
    mispred: u64
    predicted: u64
    in_tx: u64
    abort: u64
    cycles: u64
    type: u64
    spec: u64
    new_type: u64
    priv: u64
    reserved: u64
class perf_branch_sample_type(IntEnum):
    PERF_SAMPLE_BRANCH_USER = 1
    PERF_SAMPLE_BRANCH_KERNEL = 2
    PERF_SAMPLE_BRANCH_HV = 4
    PERF_SAMPLE_BRANCH_ANY = 8
    PERF_SAMPLE_BRANCH_ANY_CALL = 16
    PERF_SAMPLE_BRANCH_ANY_RETURN = 32
    PERF_SAMPLE_BRANCH_IND_CALL = 64
    PERF_SAMPLE_BRANCH_ABORT_TX = 128
    PERF_SAMPLE_BRANCH_IN_TX = 256
    PERF_SAMPLE_BRANCH_NO_TX = 512
    PERF_SAMPLE_BRANCH_COND = 1024
    PERF_SAMPLE_BRANCH_CALL_STACK = 2048
    PERF_SAMPLE_BRANCH_IND_JUMP = 4096
    PERF_SAMPLE_BRANCH_CALL = 8192
    PERF_SAMPLE_BRANCH_NO_FLAGS = 16384
    PERF_SAMPLE_BRANCH_NO_CYCLES = 32768
    PERF_SAMPLE_BRANCH_TYPE_SAVE = 65536
    PERF_SAMPLE_BRANCH_HW_INDEX = 131072
    PERF_SAMPLE_BRANCH_PRIV_SAVE = 262144
    PERF_SAMPLE_BRANCH_COUNTERS = 524288
    PERF_SAMPLE_BRANCH_MAX = 1048576
class perf_branch_sample_type_shift(IntEnum):
    PERF_SAMPLE_BRANCH_USER_SHIFT = 0
    PERF_SAMPLE_BRANCH_KERNEL_SHIFT = 1
    PERF_SAMPLE_BRANCH_HV_SHIFT = 2
    PERF_SAMPLE_BRANCH_ANY_SHIFT = 3
    PERF_SAMPLE_BRANCH_ANY_CALL_SHIFT = 4
    PERF_SAMPLE_BRANCH_ANY_RETURN_SHIFT = 5
    PERF_SAMPLE_BRANCH_IND_CALL_SHIFT = 6
    PERF_SAMPLE_BRANCH_ABORT_TX_SHIFT = 7
    PERF_SAMPLE_BRANCH_IN_TX_SHIFT = 8
    PERF_SAMPLE_BRANCH_NO_TX_SHIFT = 9
    PERF_SAMPLE_BRANCH_COND_SHIFT = 10
    PERF_SAMPLE_BRANCH_CALL_STACK_SHIFT = 11
    PERF_SAMPLE_BRANCH_IND_JUMP_SHIFT = 12
    PERF_SAMPLE_BRANCH_CALL_SHIFT = 13
    PERF_SAMPLE_BRANCH_NO_FLAGS_SHIFT = 14
    PERF_SAMPLE_BRANCH_NO_CYCLES_SHIFT = 15
    PERF_SAMPLE_BRANCH_TYPE_SAVE_SHIFT = 16
    PERF_SAMPLE_BRANCH_HW_INDEX_SHIFT = 17
    PERF_SAMPLE_BRANCH_PRIV_SAVE_SHIFT = 18
    PERF_SAMPLE_BRANCH_COUNTERS_SHIFT = 19
    PERF_SAMPLE_BRANCH_MAX_SHIFT = 20
class perf_branch_stack(KernelStruct):
    ...
class perf_buffer(KernelStruct):
    refcount: refcount_struct
    callback_head: _v.callback_head
    nr_pages: i32
    overwrite: i32
    paused: i32
    poll: atomic_t
    head: local_t
    nest: u32
    events: local_t
    wakeup: local_t
    lost: local_t
    watermark: i64
    aux_watermark: i64
    event_lock: spinlock
    event_list: list_head
    mmap_count: refcount_struct
    mmap_locked: u64
    mmap_user: user_struct
    aux_mutex: mutex
    aux_head: i64
    aux_nest: u32
    aux_wakeup: i64
    aux_pgoff: u64
    aux_nr_pages: i32
    aux_overwrite: i32
    aux_mmap_count: refcount_struct
    aux_mmap_locked: u64
    free_aux: Any
    aux_refcount: refcount_struct
    aux_in_sampling: i32
    aux_in_pause_resume: i32
    aux_pages: Any
    aux_priv: Any
    user_page: perf_event_mmap_page
    data_pages: array[Any, Literal[0]]
class perf_callchain_context(IntEnum):
    PERF_CONTEXT_HV = 18446744073709551584
    PERF_CONTEXT_KERNEL = 18446744073709551488
    PERF_CONTEXT_USER = 18446744073709551104
    PERF_CONTEXT_GUEST = 18446744073709549568
    PERF_CONTEXT_GUEST_KERNEL = 18446744073709549440
    PERF_CONTEXT_GUEST_USER = 18446744073709549056
    PERF_CONTEXT_MAX = 18446744073709547521
class perf_callchain_entry(KernelStruct):
    ...
class perf_cgroup(KernelStruct):
    css: cgroup_subsys_state
    info: perf_cgroup_info
class perf_cgroup_info(KernelStruct):
    ...
class perf_cpu_pmu_context(KernelStruct):
    ...
class perf_cstate_core_events(IntEnum):
    PERF_CSTATE_CORE_C1_RES = 0
    PERF_CSTATE_CORE_C3_RES = 1
    PERF_CSTATE_CORE_C6_RES = 2
    PERF_CSTATE_CORE_C7_RES = 3
    PERF_CSTATE_CORE_EVENT_MAX = 4
class perf_cstate_module_events(IntEnum):
    PERF_CSTATE_MODULE_C6_RES = 0
    PERF_CSTATE_MODULE_EVENT_MAX = 1
class perf_cstate_pkg_events(IntEnum):
    PERF_CSTATE_PKG_C2_RES = 0
    PERF_CSTATE_PKG_C3_RES = 1
    PERF_CSTATE_PKG_C6_RES = 2
    PERF_CSTATE_PKG_C7_RES = 3
    PERF_CSTATE_PKG_C8_RES = 4
    PERF_CSTATE_PKG_C9_RES = 5
    PERF_CSTATE_PKG_C10_RES = 6
    PERF_CSTATE_PKG_EVENT_MAX = 7
class perf_ctx_data(KernelStruct):
    callback_head: _v.callback_head
    refcount: refcount_struct
    global_: i32
    ctx_cache: kmem_cache
    data: Any
class perf_domain(KernelStruct):
    ...
class perf_event(KernelStruct):
    event_entry: list_head
    sibling_list: list_head
    active_list: list_head
    group_node: rb_node
    group_index: u64
    migrate_entry: list_head
    hlist_entry: hlist_node
    active_entry: list_head
    nr_siblings: i32
    event_caps: i32
    group_caps: i32
    group_generation: u32
    group_leader: perf_event
    pmu: _v.pmu
    pmu_private: Any
    state: i32
    attach_state: u32
    count: local64_t
    child_count: atomic64_t
    total_time_enabled: u64
    total_time_running: u64
    tstamp: u64
    attr: perf_event_attr
    header_size: u16
    id_header_size: u16
    read_size: u16
    hw: hw_perf_event
    ctx: perf_event_context
    pmu_ctx: perf_event_pmu_context
    refcount: atomic_long_t
    child_total_time_enabled: atomic64_t
    child_total_time_running: atomic64_t
    child_mutex: mutex
    child_list: list_head
    parent: perf_event
    oncpu: i32
    cpu: i32
    owner_entry: list_head
    owner: task_struct
    owner_class: u8
    mmap_mutex: mutex
    mmap_count: refcount_struct
    rb: perf_buffer
    rb_entry: list_head
    rcu_batches: u64
    rcu_pending: i32
    waitq: wait_queue_head
    fasync: fasync_struct
    pending_wakeup: u32
    pending_kill: u32
    pending_disable: u32
    pending_addr: u64
    pending_irq: irq_work
    pending_disable_irq: irq_work
    pending_task: _v.callback_head
    pending_work: u32
    event_limit: atomic_t
    addr_filters: perf_addr_filters_head
    addr_filter_ranges: perf_addr_filter_range
    addr_filters_gen: u64
    aux_event: perf_event
    destroy: Any
    callback_head: _v.callback_head
    ns: pid_namespace
    id: u64
    lost_samples: atomic64_t
    clock: Any
    overflow_handler: Any
    overflow_handler_context: Any
    prog: bpf_prog
    bpf_cookie: u64
    tp_event: trace_event_call
    filter: event_filter
    ftrace_ops: _v.ftrace_ops
    cgrp: perf_cgroup
    security: Any
    sb_list: list_head
    pmu_list: list_head
    orig_type: u32
class perf_event_attr(KernelStruct):
    type: u32
    size: u32
    config: u64
    sample_period: u64
    sample_freq: u64
    sample_type: u64
    read_format: u64
    disabled: u64
    inherit: u64
    pinned: u64
    exclusive: u64
    exclude_user: u64
    exclude_kernel: u64
    exclude_hv: u64
    exclude_idle: u64
    mmap: u64
    comm: u64
    freq: u64
    inherit_stat: u64
    enable_on_exec: u64
    task: u64
    watermark: u64
    precise_ip: u64
    mmap_data: u64
    sample_id_all: u64
    exclude_host: u64
    exclude_guest: u64
    exclude_callchain_kernel: u64
    exclude_callchain_user: u64
    mmap2: u64
    comm_exec: u64
    use_clockid: u64
    context_switch: u64
    write_backward: u64
    namespaces: u64
    ksymbol: u64
    bpf_event: u64
    aux_output: u64
    cgroup: u64
    text_poke: u64
    build_id: u64
    inherit_thread: u64
    remove_on_exec: u64
    sigtrap: u64
    __reserved_1: u64
    wakeup_events: u32
    wakeup_watermark: u32
    bp_type: u32
    bp_addr: u64
    kprobe_func: u64
    uprobe_path: u64
    config1: u64
    bp_len: u64
    kprobe_addr: u64
    probe_offset: u64
    config2: u64
    branch_sample_type: u64
    sample_regs_user: u64
    sample_stack_user: u32
    clockid: i32
    sample_regs_intr: u64
    aux_watermark: u32
    sample_max_stack: u16
    __reserved_2: u16
    aux_sample_size: u32
    aux_action: u32
    aux_start_paused: u32
    aux_pause: u32
    aux_resume: u32
    __reserved_3: u32
    sig_data: u64
    config3: u64
class perf_event_context(KernelStruct):
    lock: raw_spinlock
    mutex: _v.mutex
    pmu_ctx_list: list_head
    pinned_groups: perf_event_groups
    flexible_groups: perf_event_groups
    event_list: list_head
    nr_events: i32
    nr_user: i32
    is_active: i32
    nr_stat: i32
    nr_freq: i32
    rotate_disable: i32
    refcount: refcount_struct
    task: task_struct
    time: u64
    timestamp: u64
    timeoffset: u64
    parent_ctx: perf_event_context
    parent_gen: u64
    generation: u64
    pin_count: i32
    nr_cgroups: i32
    callback_head: _v.callback_head
    nr_no_switch_fast: local_t
class perf_event_groups(KernelStruct):
    tree: rb_root
    index: u64
class perf_event_ioc_flags(IntEnum):
    PERF_IOC_FLAG_GROUP = 1
class perf_event_mmap_page(KernelStruct):
    ...
class perf_event_pmu_context(KernelStruct):
    pmu: _v.pmu
    ctx: perf_event_context
    pmu_ctx_entry: list_head
    pinned_active: list_head
    flexible_active: list_head
    embedded: u32
    nr_events: u32
    nr_cgroups: u32
    nr_freq: u32
    refcount: atomic_t
    callback_head: _v.callback_head
    rotate_necessary: i32
class perf_event_read_format(IntEnum):
    PERF_FORMAT_TOTAL_TIME_ENABLED = 1
    PERF_FORMAT_TOTAL_TIME_RUNNING = 2
    PERF_FORMAT_ID = 4
    PERF_FORMAT_GROUP = 8
    PERF_FORMAT_LOST = 16
    PERF_FORMAT_MAX = 32
class perf_event_sample_format(IntEnum):
    PERF_SAMPLE_IP = 1
    PERF_SAMPLE_TID = 2
    PERF_SAMPLE_TIME = 4
    PERF_SAMPLE_ADDR = 8
    PERF_SAMPLE_READ = 16
    PERF_SAMPLE_CALLCHAIN = 32
    PERF_SAMPLE_ID = 64
    PERF_SAMPLE_CPU = 128
    PERF_SAMPLE_PERIOD = 256
    PERF_SAMPLE_STREAM_ID = 512
    PERF_SAMPLE_RAW = 1024
    PERF_SAMPLE_BRANCH_STACK = 2048
    PERF_SAMPLE_REGS_USER = 4096
    PERF_SAMPLE_STACK_USER = 8192
    PERF_SAMPLE_WEIGHT = 16384
    PERF_SAMPLE_DATA_SRC = 32768
    PERF_SAMPLE_IDENTIFIER = 65536
    PERF_SAMPLE_TRANSACTION = 131072
    PERF_SAMPLE_REGS_INTR = 262144
    PERF_SAMPLE_PHYS_ADDR = 524288
    PERF_SAMPLE_AUX = 1048576
    PERF_SAMPLE_CGROUP = 2097152
    PERF_SAMPLE_DATA_PAGE_SIZE = 4194304
    PERF_SAMPLE_CODE_PAGE_SIZE = 8388608
    PERF_SAMPLE_WEIGHT_STRUCT = 16777216
    PERF_SAMPLE_MAX = 33554432
class perf_event_state(IntEnum):
    PERF_EVENT_STATE_DEAD = -5
    PERF_EVENT_STATE_REVOKED = -4
    PERF_EVENT_STATE_EXIT = -3
    PERF_EVENT_STATE_ERROR = -2
    PERF_EVENT_STATE_OFF = -1
    PERF_EVENT_STATE_INACTIVE = 0
    PERF_EVENT_STATE_ACTIVE = 1
class perf_event_task_context(IntEnum):
    perf_invalid_context = -1
    perf_hw_context = 0
    perf_sw_context = 1
    perf_nr_task_contexts = 2
class perf_event_type(IntEnum):
    PERF_RECORD_MMAP = 1
    PERF_RECORD_LOST = 2
    PERF_RECORD_COMM = 3
    PERF_RECORD_EXIT = 4
    PERF_RECORD_THROTTLE = 5
    PERF_RECORD_UNTHROTTLE = 6
    PERF_RECORD_FORK = 7
    PERF_RECORD_READ = 8
    PERF_RECORD_SAMPLE = 9
    PERF_RECORD_MMAP2 = 10
    PERF_RECORD_AUX = 11
    PERF_RECORD_ITRACE_START = 12
    PERF_RECORD_LOST_SAMPLES = 13
    PERF_RECORD_SWITCH = 14
    PERF_RECORD_SWITCH_CPU_WIDE = 15
    PERF_RECORD_NAMESPACES = 16
    PERF_RECORD_KSYMBOL = 17
    PERF_RECORD_BPF_EVENT = 18
    PERF_RECORD_CGROUP = 19
    PERF_RECORD_TEXT_POKE = 20
    PERF_RECORD_AUX_OUTPUT_HW_ID = 21
    PERF_RECORD_MAX = 22
class perf_event_x86_regs(IntEnum):
    PERF_REG_X86_AX = 0
    PERF_REG_X86_BX = 1
    PERF_REG_X86_CX = 2
    PERF_REG_X86_DX = 3
    PERF_REG_X86_SI = 4
    PERF_REG_X86_DI = 5
    PERF_REG_X86_BP = 6
    PERF_REG_X86_SP = 7
    PERF_REG_X86_IP = 8
    PERF_REG_X86_FLAGS = 9
    PERF_REG_X86_CS = 10
    PERF_REG_X86_SS = 11
    PERF_REG_X86_DS = 12
    PERF_REG_X86_ES = 13
    PERF_REG_X86_FS = 14
    PERF_REG_X86_GS = 15
    PERF_REG_X86_R8 = 16
    PERF_REG_X86_R9 = 17
    PERF_REG_X86_R10 = 18
    PERF_REG_X86_R11 = 19
    PERF_REG_X86_R12 = 20
    PERF_REG_X86_R13 = 21
    PERF_REG_X86_R14 = 22
    PERF_REG_X86_R15 = 23
    PERF_REG_X86_32_MAX = 16
    PERF_REG_X86_64_MAX = 24
    PERF_REG_X86_XMM0 = 32
    PERF_REG_X86_XMM1 = 34
    PERF_REG_X86_XMM2 = 36
    PERF_REG_X86_XMM3 = 38
    PERF_REG_X86_XMM4 = 40
    PERF_REG_X86_XMM5 = 42
    PERF_REG_X86_XMM6 = 44
    PERF_REG_X86_XMM7 = 46
    PERF_REG_X86_XMM8 = 48
    PERF_REG_X86_XMM9 = 50
    PERF_REG_X86_XMM10 = 52
    PERF_REG_X86_XMM11 = 54
    PERF_REG_X86_XMM12 = 56
    PERF_REG_X86_XMM13 = 58
    PERF_REG_X86_XMM14 = 60
    PERF_REG_X86_XMM15 = 62
    PERF_REG_X86_XMM_MAX = 64
class perf_hw_cache_id(IntEnum):
    PERF_COUNT_HW_CACHE_L1D = 0
    PERF_COUNT_HW_CACHE_L1I = 1
    PERF_COUNT_HW_CACHE_LL = 2
    PERF_COUNT_HW_CACHE_DTLB = 3
    PERF_COUNT_HW_CACHE_ITLB = 4
    PERF_COUNT_HW_CACHE_BPU = 5
    PERF_COUNT_HW_CACHE_NODE = 6
    PERF_COUNT_HW_CACHE_MAX = 7
class perf_hw_cache_op_id(IntEnum):
    PERF_COUNT_HW_CACHE_OP_READ = 0
    PERF_COUNT_HW_CACHE_OP_WRITE = 1
    PERF_COUNT_HW_CACHE_OP_PREFETCH = 2
    PERF_COUNT_HW_CACHE_OP_MAX = 3
class perf_hw_cache_op_result_id(IntEnum):
    PERF_COUNT_HW_CACHE_RESULT_ACCESS = 0
    PERF_COUNT_HW_CACHE_RESULT_MISS = 1
    PERF_COUNT_HW_CACHE_RESULT_MAX = 2
class perf_hw_id(IntEnum):
    PERF_COUNT_HW_CPU_CYCLES = 0
    PERF_COUNT_HW_INSTRUCTIONS = 1
    PERF_COUNT_HW_CACHE_REFERENCES = 2
    PERF_COUNT_HW_CACHE_MISSES = 3
    PERF_COUNT_HW_BRANCH_INSTRUCTIONS = 4
    PERF_COUNT_HW_BRANCH_MISSES = 5
    PERF_COUNT_HW_BUS_CYCLES = 6
    PERF_COUNT_HW_STALLED_CYCLES_FRONTEND = 7
    PERF_COUNT_HW_STALLED_CYCLES_BACKEND = 8
    PERF_COUNT_HW_REF_CPU_CYCLES = 9
    PERF_COUNT_HW_MAX = 10
class perf_mem_data_src(KernelStruct):
    val: u64
    mem_op: u64
    mem_lvl: u64
    mem_snoop: u64
    mem_lock: u64
    mem_dtlb: u64
    mem_lvl_num: u64
    mem_remote: u64
    mem_snoopx: u64
    mem_blk: u64
    mem_hops: u64
    mem_rsvd: u64
class perf_msr_id(IntEnum):
    PERF_MSR_TSC = 0
    PERF_MSR_APERF = 1
    PERF_MSR_MPERF = 2
    PERF_MSR_PPERF = 3
    PERF_MSR_SMI = 4
    PERF_MSR_PTSC = 5
    PERF_MSR_IRPERF = 6
    PERF_MSR_THERM = 7
    PERF_MSR_EVENT_MAX = 8
class perf_output_handle(KernelStruct):
    ...
class perf_pmu_scope(IntEnum):
    PERF_PMU_SCOPE_NONE = 0
    PERF_PMU_SCOPE_CORE = 1
    PERF_PMU_SCOPE_DIE = 2
    PERF_PMU_SCOPE_CLUSTER = 3
    PERF_PMU_SCOPE_PKG = 4
    PERF_PMU_SCOPE_SYS_WIDE = 5
    PERF_PMU_MAX_SCOPE = 6
class perf_probe_config(IntEnum):
    PERF_PROBE_CONFIG_IS_RETPROBE = 1
    PERF_UPROBE_REF_CTR_OFFSET_BITS = 32
    PERF_UPROBE_REF_CTR_OFFSET_SHIFT = 32
class perf_rapl_pkg_events(IntEnum):
    PERF_RAPL_PP0 = 0
    PERF_RAPL_PKG = 1
    PERF_RAPL_RAM = 2
    PERF_RAPL_PP1 = 3
    PERF_RAPL_PSYS = 4
    PERF_RAPL_PKG_EVENTS_MAX = 5
    NR_RAPL_PKG_DOMAINS = 5
class perf_raw_record(KernelStruct):
    ...
class perf_record_ksymbol_type(IntEnum):
    PERF_RECORD_KSYMBOL_TYPE_UNKNOWN = 0
    PERF_RECORD_KSYMBOL_TYPE_BPF = 1
    PERF_RECORD_KSYMBOL_TYPE_OOL = 2
    PERF_RECORD_KSYMBOL_TYPE_MAX = 3
class perf_regs(KernelStruct):
    abi: u64
    regs: pt_regs
class perf_sample_data(KernelStruct):
    sample_flags: u64
    period: u64
    dyn_size: u64
    type: u64
    class tid_entry_t(KernelStruct):
        pid: u32
        tid: u32
    tid_entry: tid_entry_t
    time: u64
    id: u64
    class cpu_entry_t(KernelStruct):
        cpu: u32
        reserved: u32
    cpu_entry: cpu_entry_t
    ip: u64
    callchain: perf_callchain_entry
    raw: perf_raw_record
    br_stack: perf_branch_stack
    br_stack_cntr: ptr[u64]
    weight: perf_sample_weight
    data_src: perf_mem_data_src
    txn: u64
    regs_user: perf_regs
    regs_intr: perf_regs
    stack_user_size: u64
    stream_id: u64
    cgroup: u64
    addr: u64
    phys_addr: u64
    data_page_size: u64
    code_page_size: u64
    aux_size: u64
class perf_sample_regs_abi(IntEnum):
    PERF_SAMPLE_REGS_ABI_NONE = 0
    PERF_SAMPLE_REGS_ABI_32 = 1
    PERF_SAMPLE_REGS_ABI_64 = 2
class perf_sample_weight(KernelStruct):
    full: u64
    var1_dw: u32
    var2_w: u16
    var3_w: u16
class perf_snb_uncore_imc_freerunning_types(IntEnum):
    SNB_PCI_UNCORE_IMC_DATA_READS = 0
    SNB_PCI_UNCORE_IMC_DATA_WRITES = 1
    SNB_PCI_UNCORE_IMC_GT_REQUESTS = 2
    SNB_PCI_UNCORE_IMC_IA_REQUESTS = 3
    SNB_PCI_UNCORE_IMC_IO_REQUESTS = 4
    SNB_PCI_UNCORE_IMC_FREERUNNING_TYPE_MAX = 5
class perf_sw_ids(IntEnum):
    PERF_COUNT_SW_CPU_CLOCK = 0
    PERF_COUNT_SW_TASK_CLOCK = 1
    PERF_COUNT_SW_PAGE_FAULTS = 2
    PERF_COUNT_SW_CONTEXT_SWITCHES = 3
    PERF_COUNT_SW_CPU_MIGRATIONS = 4
    PERF_COUNT_SW_PAGE_FAULTS_MIN = 5
    PERF_COUNT_SW_PAGE_FAULTS_MAJ = 6
    PERF_COUNT_SW_ALIGNMENT_FAULTS = 7
    PERF_COUNT_SW_EMULATION_FAULTS = 8
    PERF_COUNT_SW_DUMMY = 9
    PERF_COUNT_SW_BPF_OUTPUT = 10
    PERF_COUNT_SW_CGROUP_SWITCHES = 11
    PERF_COUNT_SW_MAX = 12
class perf_tgl_uncore_imc_freerunning_types(IntEnum):
    TGL_MMIO_UNCORE_IMC_DATA_TOTAL = 0
    TGL_MMIO_UNCORE_IMC_DATA_READ = 1
    TGL_MMIO_UNCORE_IMC_DATA_WRITE = 2
    TGL_MMIO_UNCORE_IMC_FREERUNNING_TYPE_MAX = 3
class perf_type_id(IntEnum):
    PERF_TYPE_HARDWARE = 0
    PERF_TYPE_SOFTWARE = 1
    PERF_TYPE_TRACEPOINT = 2
    PERF_TYPE_HW_CACHE = 3
    PERF_TYPE_RAW = 4
    PERF_TYPE_BREAKPOINT = 5
    PERF_TYPE_MAX = 6
class perf_uncore_icx_iio_freerunning_type_id(IntEnum):
    ICX_IIO_MSR_IOCLK = 0
    ICX_IIO_MSR_BW_IN = 1
    ICX_IIO_FREERUNNING_TYPE_MAX = 2
class perf_uncore_icx_imc_freerunning_type_id(IntEnum):
    ICX_IMC_DCLK = 0
    ICX_IMC_DDR = 1
    ICX_IMC_DDRT = 2
    ICX_IMC_FREERUNNING_TYPE_MAX = 3
class perf_uncore_iio_freerunning_type_id(IntEnum):
    SKX_IIO_MSR_IOCLK = 0
    SKX_IIO_MSR_BW = 1
    SKX_IIO_MSR_UTIL = 2
    SKX_IIO_FREERUNNING_TYPE_MAX = 3
class perf_uncore_snr_iio_freerunning_type_id(IntEnum):
    SNR_IIO_MSR_IOCLK = 0
    SNR_IIO_MSR_BW_IN = 1
    SNR_IIO_FREERUNNING_TYPE_MAX = 2
class perf_uncore_snr_imc_freerunning_type_id(IntEnum):
    SNR_IMC_DCLK = 0
    SNR_IMC_DDR = 1
    SNR_IMC_FREERUNNING_TYPE_MAX = 2
class perf_uncore_spr_iio_freerunning_type_id(IntEnum):
    SPR_IIO_MSR_IOCLK = 0
    SPR_IIO_MSR_BW_IN = 1
    SPR_IIO_MSR_BW_OUT = 2
    SPR_IIO_FREERUNNING_TYPE_MAX = 3
class perf_uncore_spr_imc_freerunning_type_id(IntEnum):
    SPR_IMC_DCLK = 0
    SPR_IMC_PQ_CYCLES = 1
    SPR_IMC_FREERUNNING_TYPE_MAX = 2
class pfnmap_track_ctx(KernelStruct):
    kref: _v.kref
    pfn: u64
    size: u64
class pgd_t(KernelStruct):
    pgd: u64
pgdval_t: TypeAlias = u64
class pgprot(KernelStruct):
    pgprot: u64
pgprot_t: TypeAlias = pgprot
pgprotval_t: TypeAlias = u64
class pgv(KernelStruct):
    ...
class phy_c45_device_ids(KernelStruct):
    devices_in_package: u32
    mmds_present: u32
    device_ids: array[u32, Literal[32]]
class phy_device(KernelStruct):
    mdio: mdio_device
    drv: phy_driver
    devlink: device_link
    phyindex: u32
    phy_id: u32
    c45_ids: phy_c45_device_ids
    is_c45: u32
    is_internal: u32
    is_pseudo_fixed_link: u32
    is_gigabit_capable: u32
    has_fixups: u32
    suspended: u32
    suspended_by_mdio_bus: u32
    sysfs_links: u32
    loopback_enabled: u32
    downshifted_rate: u32
    is_on_sfp_module: u32
    mac_managed_pm: u32
    wol_enabled: u32
    is_genphy_driven: u32
    autoneg: u32
    link: u32
    autoneg_complete: u32
    interrupts: u32
    irq_suspended: u32
    irq_rerun: u32
    default_timestamp: u32
    rate_matching: i32
    state: u32
    dev_flags: u32
    interface: u32
    possible_interfaces: array[u64, Literal[1]]
    speed: i32
    duplex: i32
    port: i32
    pause: i32
    asym_pause: i32
    master_slave_get: u8
    master_slave_set: u8
    master_slave_state: u8
    supported: array[u64, Literal[2]]
    advertising: array[u64, Literal[2]]
    lp_advertising: array[u64, Literal[2]]
    adv_old: array[u64, Literal[2]]
    supported_eee: array[u64, Literal[2]]
    advertising_eee: array[u64, Literal[2]]
    eee_disabled_modes: array[u64, Literal[2]]
    enable_tx_lpi: bool
    eee_active: bool
    eee_cfg: eee_config
    host_interfaces: array[u64, Literal[1]]
    leds: list_head
    irq: i32
    priv: Any
    skb: sk_buff
    ehdr: Any
    nest: nlattr
    state_queue: delayed_work
    lock: mutex
    sfp_bus_attached: bool
    sfp_bus: Any
    phylink: Any
    attached_dev: net_device
    mii_ts: mii_timestamper
    psec: Any
    mdix: u8
    mdix_ctrl: u8
    pma_extable: i32
    link_down_events: u32
    phy_link_change: Any
    adjust_link: Any
class phy_driver(KernelStruct):
    ...
class phy_interface_t(IntEnum):
    PHY_INTERFACE_MODE_NA = 0
    PHY_INTERFACE_MODE_INTERNAL = 1
    PHY_INTERFACE_MODE_MII = 2
    PHY_INTERFACE_MODE_GMII = 3
    PHY_INTERFACE_MODE_SGMII = 4
    PHY_INTERFACE_MODE_TBI = 5
    PHY_INTERFACE_MODE_REVMII = 6
    PHY_INTERFACE_MODE_RMII = 7
    PHY_INTERFACE_MODE_REVRMII = 8
    PHY_INTERFACE_MODE_RGMII = 9
    PHY_INTERFACE_MODE_RGMII_ID = 10
    PHY_INTERFACE_MODE_RGMII_RXID = 11
    PHY_INTERFACE_MODE_RGMII_TXID = 12
    PHY_INTERFACE_MODE_RTBI = 13
    PHY_INTERFACE_MODE_SMII = 14
    PHY_INTERFACE_MODE_XGMII = 15
    PHY_INTERFACE_MODE_XLGMII = 16
    PHY_INTERFACE_MODE_MOCA = 17
    PHY_INTERFACE_MODE_PSGMII = 18
    PHY_INTERFACE_MODE_QSGMII = 19
    PHY_INTERFACE_MODE_TRGMII = 20
    PHY_INTERFACE_MODE_100BASEX = 21
    PHY_INTERFACE_MODE_1000BASEX = 22
    PHY_INTERFACE_MODE_2500BASEX = 23
    PHY_INTERFACE_MODE_5GBASER = 24
    PHY_INTERFACE_MODE_RXAUI = 25
    PHY_INTERFACE_MODE_XAUI = 26
    PHY_INTERFACE_MODE_10GBASER = 27
    PHY_INTERFACE_MODE_25GBASER = 28
    PHY_INTERFACE_MODE_USXGMII = 29
    PHY_INTERFACE_MODE_10GKR = 30
    PHY_INTERFACE_MODE_QUSGMII = 31
    PHY_INTERFACE_MODE_1000BASEKX = 32
    PHY_INTERFACE_MODE_10G_QXGMII = 33
    PHY_INTERFACE_MODE_50GBASER = 34
    PHY_INTERFACE_MODE_LAUI = 35
    PHY_INTERFACE_MODE_100GBASEP = 36
    PHY_INTERFACE_MODE_MIILITE = 37
    PHY_INTERFACE_MODE_MAX = 38
class phy_link_topology(KernelStruct):
    phys: xarray
    next_phy_index: u32
class phy_state(IntEnum):
    PHY_DOWN = 0
    PHY_READY = 1
    PHY_HALTED = 2
    PHY_ERROR = 3
    PHY_UP = 4
    PHY_RUNNING = 5
    PHY_NOLINK = 6
    PHY_CABLETEST = 7
phys_addr_t: TypeAlias = u64
phys_cpuid_t: TypeAlias = u32
class pid(KernelStruct):
    count: refcount_struct
    level: u32
    lock: spinlock
    ino: u64
    pidfs_node: rb_node
    stashed: dentry
    attr: pidfs_attr
    tasks: array[hlist_head, Literal[4]]
    inodes: hlist_head
    wait_pidfd: wait_queue_head
    rcu: callback_head
    numbers: array[upid, Literal[0]]
class pid_namespace(KernelStruct):
    idr: _v.idr
    rcu: callback_head
    pid_allocated: u32
    child_reaper: task_struct
    pid_cachep: kmem_cache
    level: u32
    pid_max: i32
    parent: pid_namespace
    bacct: fs_pin
    user_ns: user_namespace
    ucounts: _v.ucounts
    reboot: i32
    ns: ns_common
    work: work_struct
    set: ctl_table_set
    sysctls: ctl_table_header
    memfd_noexec_scope: i32
pid_t: TypeAlias = i32
class pid_type(IntEnum):
    PIDTYPE_PID = 0
    PIDTYPE_TGID = 1
    PIDTYPE_PGID = 2
    PIDTYPE_SID = 3
    PIDTYPE_MAX = 4
class pidfs_attr(KernelStruct):
    ...
class ping_group_range(KernelStruct):
    lock: seqlock_t
    range: array[kgid_t, Literal[2]]
class pipe_buffer(KernelStruct):
    ...
pipe_index_t: TypeAlias = u32
class pipe_inode_info(KernelStruct):
    mutex: _v.mutex
    rd_wait: wait_queue_head
    wr_wait: wait_queue_head
    head_tail: u64
    head: u32
    tail: u32
    max_usage: u32
    ring_size: u32
    nr_accounted: u32
    readers: u32
    writers: u32
    files: u32
    r_counter: u32
    w_counter: u32
    poll_usage: bool
    tmp_page: array[page, Literal[2]]
    fasync_readers: fasync_struct
    fasync_writers: fasync_struct
    bufs: pipe_buffer
    user: user_struct
class plist_head(KernelStruct):
    node_list: list_head
class plist_node(KernelStruct):
    prio: i32
    prio_list: list_head
    node_list: list_head
class pm_message(KernelStruct):
    event: i32
pm_message_t: TypeAlias = pm_message
class pm_subsys_data(KernelStruct):
    ...
class pmu(KernelStruct):
    entry: list_head
    events_lock: spinlock
    events: list_head
    module: _v.module
    dev: device
    parent: device
    attr_groups: Any
    attr_update: Any
    name: ptr[u8]
    type: i32
    capabilities: i32
    scope: u32
    cpu_pmu_context: Any
    exclusive_cnt: atomic_t
    task_ctx_nr: i32
    hrtimer_interval_ms: i32
    nr_addr_filters: u32
    pmu_enable: Any
    pmu_disable: Any
    event_init: Any
    event_mapped: Any
    event_unmapped: Any
    add: Any
    del_: Any
    start: Any
    stop: Any
    read: Any
    start_txn: Any
    commit_txn: Any
    cancel_txn: Any
    event_idx: Any
    sched_task: Any
    task_ctx_cache: kmem_cache
    setup_aux: Any
    free_aux: Any
    snapshot_aux: Any
    addr_filters_validate: Any
    addr_filters_sync: Any
    aux_output_match: Any
    filter: Any
    check_period: Any
class pollfd(KernelStruct):
    fd: i32
    events: i16
    revents: i16
class pool_workqueue(KernelStruct):
    pool: worker_pool
    wq: workqueue_struct
    work_color: i32
    flush_color: i32
    refcnt: i32
    nr_in_flight: array[i32, Literal[16]]
    plugged: bool
    nr_active: i32
    inactive_works: list_head
    pending_node: list_head
    pwqs_node: list_head
    mayday_node: list_head
    mayday_cursor: work_struct
    stats: array[u64, Literal[8]]
    release_work: kthread_work
    rcu: callback_head
class posix_acl(KernelStruct):
    a_refcount: refcount_struct
    a_count: u32
    a_rcu: callback_head
    hdr: posix_acl_hdr
    a_entries: array[posix_acl_entry, Literal[0]]
class posix_acl_entry(KernelStruct):
    e_tag: i16
    e_perm: u16
    e_uid: kuid_t
    e_gid: kgid_t
class posix_acl_hdr(KernelStruct):
    a_refcount: refcount_struct
    a_count: u32
    a_rcu: callback_head
class posix_cputimer_base(KernelStruct):
    nextevt: u64
    tqhead: timerqueue_head
class posix_cputimers(KernelStruct):
    bases: array[posix_cputimer_base, Literal[3]]
    timers_active: u32
    expiry_active: u32
class posix_cputimers_work(KernelStruct):
    work: callback_head
    mutex: _v.mutex
    scheduled: u32
class possible_net_t(KernelStruct):
    net: _v.net
class pp_alloc_cache(KernelStruct):
    count: u32
    cache: array[u64, Literal[128]]
class pp_memory_provider_params(KernelStruct):
    mp_priv: Any
    mp_ops: memory_provider_ops
class prev_cputime(KernelStruct):
    utime: u64
    stime: u64
    lock: raw_spinlock
prid_t: TypeAlias = u32
class priv_stack_mode(IntEnum):
    PRIV_STACK_UNKNOWN = 0
    NO_PRIV_STACK = 1
    PRIV_STACK_ADAPTIVE = 2
class proc_dir_entry(KernelStruct):
    in_use: atomic_t
    refcnt: refcount_struct
    pde_openers: list_head
    pde_unload_lock: spinlock
    pde_unload_completion: completion
    proc_iops: inode_operations
    proc_ops: _v.proc_ops
    proc_dir_ops: file_operations
    seq_ops: seq_operations
    single_show: Any
    write: Any
    data: Any
    state_size: u32
    low_ino: u32
    nlink: u32
    uid: kuid_t
    gid: kgid_t
    size: i64
    parent: proc_dir_entry
    subdir: rb_root
    subdir_node: rb_node
    name: ptr[u8]
    mode: u16
    flags: u8
    namelen: u8
    inline_name: array[char, Literal[0]]
class proc_ns_operations(KernelStruct):
    ...
class proc_ops(KernelStruct):
    ...
class prog_entry(KernelStruct):
    ...
class prog_test_member(KernelStruct):
    ...
class prog_test_ref_kfunc(KernelStruct):
    ...
projid_t: TypeAlias = u32
class prot_inuse(KernelStruct):
    ...
class proto(KernelStruct):
    close: Any
    pre_connect: Any
    connect: Any
    disconnect: Any
    accept: Any
    ioctl: Any
    init: Any
    destroy: Any
    shutdown: Any
    setsockopt: Any
    getsockopt: Any
    keepalive: Any
    compat_ioctl: Any
    sendmsg: Any
    recvmsg: Any
    splice_eof: Any
    bind: Any
    bind_add: Any
    backlog_rcv: Any
    bpf_bypass_getsockopt: Any
    release_cb: Any
    hash: Any
    unhash: Any
    rehash: Any
    get_port: Any
    put_port: Any
    psock_update_sk_prot: Any
    inuse_idx: u32
    stream_memory_free: Any
    sock_is_readable: Any
    enter_memory_pressure: Any
    leave_memory_pressure: Any
    memory_allocated: atomic_long_t
    per_cpu_fw_alloc: ptr[i32]
    sockets_allocated: percpu_counter
    memory_pressure: ptr[u64]
    sysctl_mem: ptr[i64]
    sysctl_wmem: ptr[i32]
    sysctl_rmem: ptr[i32]
    sysctl_wmem_offset: u32
    sysctl_rmem_offset: u32
    max_header: i32
    no_autobind: bool
    slab: kmem_cache
    obj_size: u32
    ipv6_pinfo_offset: u32
    slab_flags: u32
    useroffset: u32
    usersize: u32
    rsk_prot: request_sock_ops
    twsk_prot: timewait_sock_ops
    class h_t(KernelStruct):
        hashinfo: inet_hashinfo
        udp_table: _v.udp_table
        raw_hash: raw_hashinfo
        smc_hash: Any
    h: h_t
    owner: module
    name: array[char, Literal[32]]
    node: list_head
    diag_destroy: Any
class proto_accept_arg(KernelStruct):
    ...
class proto_ops(KernelStruct):
    ...
class psi_group(KernelStruct):
    parent: psi_group
    enabled: bool
    avgs_lock: mutex
    pcpu: psi_group_cpu
    avg_total: array[u64, Literal[6]]
    avg_last_update: u64
    avg_next_update: u64
    avgs_work: delayed_work
    avg_triggers: list_head
    avg_nr_triggers: array[u32, Literal[6]]
    total: array[u64, Literal[12]]
    avg: array[u64, Literal[18]]
    rtpoll_task: task_struct
    rtpoll_timer: timer_list
    rtpoll_wait: wait_queue_head
    rtpoll_wakeup: atomic_t
    rtpoll_scheduled: atomic_t
    rtpoll_trigger_lock: mutex
    rtpoll_triggers: list_head
    rtpoll_nr_triggers: array[u32, Literal[6]]
    rtpoll_states: u32
    rtpoll_min_period: u64
    rtpoll_total: array[u64, Literal[6]]
    rtpoll_next_update: u64
    rtpoll_until: u64
class psi_group_cpu(KernelStruct):
    ...
class pt_regs(KernelStruct):
    r15: u64
    r14: u64
    r13: u64
    r12: u64
    bp: u64
    bx: u64
    r11: u64
    r10: u64
    r9: u64
    r8: u64
    ax: u64
    cx: u64
    dx: u64
    si: u64
    di: u64
    orig_ax: u64
    ip: u64
    cs: u16
    csx: u64
    fred_cs: _v.fred_cs
    flags: u64
    sp: u64
    ss: u16
    ssx: u64
    fred_ss: _v.fred_ss
class pt_regs_offset(KernelStruct):
    name: ptr[u8]
    offset: i32
class ptr_ring(KernelStruct):
    producer: i32
    producer_lock: spinlock
    consumer_head: i32
    consumer_tail: i32
    consumer_lock: spinlock
    size: i32
    batch: i32
    queue: Any
class qdisc_size_table(KernelStruct):
    ...
class qdisc_skb_cb(KernelStruct):
    pkt_len: u32
    slave_dev_queue_mapping: u16
    tc_classid: u16
    data: array[u8, Literal[20]]
class qdisc_skb_head(KernelStruct):
    head: sk_buff
    tail: sk_buff
    qlen: u32
    lock: spinlock
qid_t: TypeAlias = u32
class qrwlock(KernelStruct):
    cnts: atomic_t
    wlocked: u8
    __lstate: array[u8, Literal[3]]
    wait_lock: qspinlock
qsize_t: TypeAlias = i64
class qspinlock(KernelStruct):
    val: atomic_t
    locked: u8
    pending: u8
    locked_pending: u16
    tail: u16
class qstr(KernelStruct):
    hash: u32
    len: u32
    hash_len: u64
    name: ptr[u8]
class queue_limits(KernelStruct):
    features: u32
    flags: u32
    seg_boundary_mask: u64
    virt_boundary_mask: u64
    max_hw_sectors: u32
    max_dev_sectors: u32
    chunk_sectors: u32
    max_sectors: u32
    max_user_sectors: u32
    max_segment_size: u32
    min_segment_size: u32
    physical_block_size: u32
    logical_block_size: u32
    alignment_offset: u32
    io_min: u32
    io_opt: u32
    max_discard_sectors: u32
    max_hw_discard_sectors: u32
    max_user_discard_sectors: u32
    max_secure_erase_sectors: u32
    max_write_zeroes_sectors: u32
    max_wzeroes_unmap_sectors: u32
    max_hw_wzeroes_unmap_sectors: u32
    max_user_wzeroes_unmap_sectors: u32
    max_hw_zone_append_sectors: u32
    max_zone_append_sectors: u32
    discard_granularity: u32
    discard_alignment: u32
    zone_write_granularity: u32
    atomic_write_hw_max: u32
    atomic_write_max_sectors: u32
    atomic_write_hw_boundary: u32
    atomic_write_boundary_sectors: u32
    atomic_write_hw_unit_min: u32
    atomic_write_unit_min: u32
    atomic_write_hw_unit_max: u32
    atomic_write_unit_max: u32
    max_segments: u16
    max_integrity_segments: u16
    max_discard_segments: u16
    max_write_streams: u16
    write_stream_granularity: u32
    max_open_zones: u32
    max_active_zones: u32
    dma_alignment: u32
    dma_pad_mask: u32
    integrity: blk_integrity
class quota_format_ops(KernelStruct):
    ...
class quota_format_type(KernelStruct):
    ...
class quota_info(KernelStruct):
    flags: u32
    dqio_sem: rw_semaphore
    files: array[inode, Literal[3]]
    info: array[mem_dqinfo, Literal[3]]
    ops: array[quota_format_ops, Literal[3]]
class quotactl_ops(KernelStruct):
    ...
class range(KernelStruct):
    start: u64
    end: u64
class range_tree(KernelStruct):
    it_root: rb_root_cached
    range_size_root: rb_root_cached
class rate_sample(KernelStruct):
    prior_mstamp: u64
    prior_delivered: u32
    prior_delivered_ce: u32
    delivered: i32
    delivered_ce: i32
    interval_us: i64
    snd_interval_us: u32
    rcv_interval_us: u32
    rtt_us: i64
    losses: i32
    acked_sacked: u32
    prior_in_flight: u32
    last_end_seq: u32
    is_app_limited: bool
    is_retrans: bool
    is_ack_delayed: bool
class ratelimit_state(KernelStruct):
    lock: raw_spinlock
    interval: i32
    burst: i32
    rs_n_left: atomic_t
    missed: atomic_t
    flags: u32
    begin: u64
class raw_hashinfo(KernelStruct):
    ...
class raw_notifier_head(KernelStruct):
    head: notifier_block
class raw_sock(KernelStruct):
    inet: inet_sock
    filter: icmp_filter
    ipmr_table: u32
    drop_counters: numa_drop_counters
class raw_spinlock(KernelStruct):
    raw_lock: qspinlock
raw_spinlock_t: TypeAlias = raw_spinlock
class rb_node(KernelStruct):
    __rb_parent_color: u64
    rb_right: rb_node
    rb_left: rb_node
class rb_root(KernelStruct):
    rb_node: _v.rb_node
class rb_root_cached(KernelStruct):
    rb_root: _v.rb_root
    rb_leftmost: rb_node
class rchan(KernelStruct):
    ...
class rcu_exp_work(KernelStruct):
    rew_s: u64
    rew_work: kthread_work
class rcu_node(KernelStruct):
    lock: raw_spinlock
    gp_seq: u64
    gp_seq_needed: u64
    completedqs: u64
    qsmask: u64
    rcu_gp_init_mask: u64
    qsmaskinit: u64
    qsmaskinitnext: u64
    expmask: u64
    expmaskinit: u64
    expmaskinitnext: u64
    exp_kworker: kthread_worker
    cbovldmask: u64
    ffmask: u64
    grpmask: u64
    grplo: i32
    grphi: i32
    grpnum: u8
    level: u8
    wait_blkd_tasks: bool
    parent: rcu_node
    blkd_tasks: list_head
    gp_tasks: list_head
    exp_tasks: list_head
    boost_tasks: list_head
    boost_mtx: rt_mutex
    boost_time: u64
    kthread_mutex: mutex
    boost_kthread_task: task_struct
    boost_kthread_status: u32
    n_boosts: u64
    nocb_gp_wq: array[swait_queue_head, Literal[2]]
    fqslock: raw_spinlock
    exp_lock: spinlock
    exp_seq_rq: u64
    exp_wq: array[wait_queue_head, Literal[4]]
    rew: rcu_exp_work
    exp_need_flush: bool
    exp_poll_lock: raw_spinlock
    exp_seq_poll_rq: u64
    exp_poll_wq: work_struct
class rcu_special(KernelStruct):
    class b_t(KernelStruct):
        blocked: u8
        need_qs: u8
        exp_hint: u8
        need_mb: u8
    b: b_t
    s: u32
class rcu_sync(KernelStruct):
    gp_state: i32
    gp_count: i32
    gp_wait: wait_queue_head
    cb_head: callback_head
class rcu_work(KernelStruct):
    work: work_struct
    rcu: callback_head
    wq: workqueue_struct
class rcuref_t(KernelStruct):
    refcnt: atomic_t
class rcuwait(KernelStruct):
    task: task_struct
class read_descriptor_t(KernelStruct):
    written: u64
    count: u64
    class arg_t(KernelStruct):
        buf: ptr[u8]
        data: Any
    arg: arg_t
    error: i32
class reciprocal_value(KernelStruct):
    m: u32
    sh1: u8
    sh2: u8
class reclaim_state(KernelStruct):
    reclaimed: u64
class ref_state_type(IntEnum):
    REF_TYPE_PTR = 2
    REF_TYPE_IRQ = 4
    REF_TYPE_LOCK = 8
    REF_TYPE_RES_LOCK = 16
    REF_TYPE_RES_LOCK_IRQ = 32
    REF_TYPE_LOCK_MASK = 56
class ref_tracker_dir(KernelStruct):
    ...
class refcount_struct(KernelStruct):
    refs: atomic_t
refcount_t: TypeAlias = refcount_struct
class renamedata(KernelStruct):
    ...
req_flags_t: TypeAlias = u32
class req_op(IntEnum):
    REQ_OP_READ = 0
    REQ_OP_WRITE = 1
    REQ_OP_FLUSH = 2
    REQ_OP_DISCARD = 3
    REQ_OP_SECURE_ERASE = 5
    REQ_OP_ZONE_APPEND = 7
    REQ_OP_WRITE_ZEROES = 9
    REQ_OP_ZONE_OPEN = 11
    REQ_OP_ZONE_CLOSE = 13
    REQ_OP_ZONE_FINISH = 15
    REQ_OP_ZONE_RESET = 17
    REQ_OP_ZONE_RESET_ALL = 19
    REQ_OP_DRV_IN = 34
    REQ_OP_DRV_OUT = 35
    REQ_OP_LAST = 36
class request(KernelStruct):
    q: request_queue
    mq_ctx: blk_mq_ctx
    mq_hctx: blk_mq_hw_ctx
    cmd_flags: u32
    rq_flags: u32
    tag: i32
    internal_tag: i32
    timeout: u32
    __data_len: u32
    __sector: u64
    bio: _v.bio
    biotail: _v.bio
    queuelist: list_head
    rq_next: request
    part: block_device
    alloc_time_ns: u64
    start_time_ns: u64
    io_start_time_ns: u64
    wbt_flags: u16
    stats_sectors: u16
    nr_phys_segments: u16
    nr_integrity_segments: u16
    state: u32
    ref: atomic_t
    deadline: u64
    hash: hlist_node
    ipi_list: llist_node
    rb_node: _v.rb_node
    special_vec: bio_vec
    class elv_t(KernelStruct):
        icq: io_cq
        priv: array[Any, Literal[2]]
    elv: elv_t
    class flush_t(KernelStruct):
        seq: u32
        saved_end_io: Any
    flush: flush_t
    fifo_time: u64
    end_io: Any
    end_io_data: Any
class request_queue(KernelStruct):
    queuedata: Any
    elevator: elevator_queue
    mq_ops: blk_mq_ops
    queue_ctx: blk_mq_ctx
    queue_flags: u64
    rq_timeout: u32
    queue_depth: u32
    refs: refcount_struct
    nr_hw_queues: u32
    hctx_table: xarray
    q_usage_counter: percpu_ref
    io_lock_cls_key: lock_class_key
    io_lockdep_map: lockdep_map
    q_lock_cls_key: lock_class_key
    q_lockdep_map: lockdep_map
    last_merge: request
    queue_lock: spinlock
    quiesce_depth: i32
    disk: gendisk
    mq_kobj: kobject
    limits: queue_limits
    dev: device
    rpm_status: i32
    pm_only: atomic_t
    stats: blk_queue_stats
    rq_qos: _v.rq_qos
    rq_qos_mutex: mutex
    id: i32
    nr_requests: u64
    timeout: timer_list
    timeout_work: work_struct
    nr_active_requests_shared_tags: atomic_t
    sched_shared_tags: blk_mq_tags
    icq_list: list_head
    blkcg_pols: array[u64, Literal[1]]
    root_blkg: blkcg_gq
    blkg_list: list_head
    blkcg_mutex: mutex
    node: i32
    requeue_lock: spinlock
    requeue_list: list_head
    requeue_work: delayed_work
    blk_trace: _v.blk_trace
    fq: blk_flush_queue
    flush_list: list_head
    elevator_lock: mutex
    sysfs_lock: mutex
    limits_lock: mutex
    unused_hctx_list: list_head
    unused_hctx_lock: spinlock
    mq_freeze_depth: i32
    td: throtl_data
    callback_head: _v.callback_head
    mq_freeze_wq: wait_queue_head
    mq_freeze_lock: mutex
    tag_set: blk_mq_tag_set
    tag_set_list: list_head
    debugfs_dir: dentry
    sched_debugfs_dir: dentry
    rqos_debugfs_dir: dentry
    debugfs_mutex: mutex
class request_sock(KernelStruct):
    __req_common: sock_common
    dl_next: request_sock
    mss: u16
    num_retrans: u8
    syncookie: u8
    num_timeout: u8
    ts_recent: u32
    rsk_timer: timer_list
    rsk_ops: request_sock_ops
    sk: sock
    saved_syn: _v.saved_syn
    secid: u32
    peer_secid: u32
    timeout: u32
class request_sock_ops(KernelStruct):
    ...
class request_sock_queue(KernelStruct):
    rskq_lock: spinlock
    rskq_defer_accept: u8
    synflood_warned: u8
    qlen: atomic_t
    young: atomic_t
    rskq_accept_head: request_sock
    rskq_accept_tail: request_sock
    fastopenq: fastopen_queue
resource_size_t: TypeAlias = u64
class restart_block(KernelStruct):
    arch_data: u64
    fn: Any
    class futex_t(KernelStruct):
        uaddr: ptr[u32]
        val: u32
        flags: u32
        bitset: u32
        time: u64
        uaddr2: ptr[u32]
    futex: futex_t
    class nanosleep_t(KernelStruct):
        clockid: i32
        type: u32
        rmtp: __kernel_timespec
        compat_rmtp: old_timespec32
        expires: u64
    nanosleep: nanosleep_t
    class poll_t(KernelStruct):
        ufds: pollfd
        nfds: i32
        has_timeout: i32
        tv_sec: u64
        tv_nsec: u64
    poll: poll_t
class return_instance(KernelStruct):
    ...
class reuseport_array(KernelStruct):
    map: bpf_map
    ptrs: array[sock, Literal[0]]
class rhash_head(KernelStruct):
    next: rhash_head
class rhashtable(KernelStruct):
    tbl: bucket_table
    key_len: u32
    max_elems: u32
    p: rhashtable_params
    rhlist: bool
    run_work: work_struct
    mutex: _v.mutex
    lock: spinlock
    nelems: atomic_t
class rhashtable_compare_arg(KernelStruct):
    ...
class rhashtable_params(KernelStruct):
    nelem_hint: u16
    key_len: u16
    key_offset: u16
    head_offset: u16
    max_size: u32
    min_size: u16
    automatic_shrinking: bool
    hashfn: Any
    obj_hashfn: Any
    obj_cmpfn: Any
class rhlist_head(KernelStruct):
    rhead: rhash_head
    next: rhlist_head
class rlimit(KernelStruct):
    rlim_cur: u64
    rlim_max: u64
class robust_list(KernelStruct):
    next: robust_list
class robust_list_head(KernelStruct):
    list: robust_list
    futex_offset: i64
    list_op_pending: robust_list
class root_domain(KernelStruct):
    refcount: atomic_t
    rto_count: atomic_t
    rcu: callback_head
    span: array[cpumask, Literal[1]]
    online: array[cpumask, Literal[1]]
    overloaded: bool
    overutilized: bool
    dlo_mask: array[cpumask, Literal[1]]
    dlo_count: atomic_t
    dl_bw: _v.dl_bw
    cpudl: _v.cpudl
    visit_cookie: u64
    rto_push_work: irq_work
    rto_lock: raw_spinlock
    rto_loop: i32
    rto_cpu: i32
    rto_loop_next: atomic_t
    rto_loop_start: atomic_t
    rto_mask: array[cpumask, Literal[1]]
    cpupri: _v.cpupri
    pd: perf_domain
class rpm_request(IntEnum):
    RPM_REQ_NONE = 0
    RPM_REQ_IDLE = 1
    RPM_REQ_SUSPEND = 2
    RPM_REQ_AUTOSUSPEND = 3
    RPM_REQ_RESUME = 4
class rpm_status(IntEnum):
    RPM_INVALID = -1
    RPM_ACTIVE = 0
    RPM_RESUMING = 1
    RPM_SUSPENDED = 2
    RPM_SUSPENDING = 3
    RPM_BLOCKED = 4
class rps_dev_flow_table(KernelStruct):
    ...
class rps_map(KernelStruct):
    ...
class rq(KernelStruct):
    __lock: raw_spinlock
    nr_running: u32
    nr_numa_running: u32
    nr_preferred_running: u32
    numa_migrate_on: u32
    last_blocked_load_update_tick: u64
    has_blocked_load: u32
    nohz_csd: __call_single_data
    nohz_tick_stopped: u32
    nohz_flags: atomic_t
    ttwu_pending: u32
    nr_switches: u64
    cfs: cfs_rq
    rt: rt_rq
    dl: dl_rq
    fair_server: sched_dl_entity
    leaf_cfs_rq_list: list_head
    tmp_alone_branch: list_head
    nr_uninterruptible: u64
    donor: task_struct
    curr: task_struct
    dl_server: sched_dl_entity
    idle: task_struct
    stop: task_struct
    next_balance: u64
    prev_mm: mm_struct
    clock_update_flags: u32
    clock: u64
    clock_task: u64
    clock_pelt: u64
    lost_idle_time: u64
    clock_pelt_idle: u64
    clock_idle: u64
    nr_iowait: atomic_t
    last_seen_need_resched_ns: u64
    ticks_without_resched: i32
    membarrier_state: i32
    rd: root_domain
    sd: sched_domain
    cpu_capacity: u64
    balance_callback: _v.balance_callback
    nohz_idle_balance: u8
    idle_balance: u8
    misfit_task_load: u64
    active_balance: i32
    push_cpu: i32
    active_balance_work: cpu_stop_work
    cpu: i32
    online: i32
    cfs_tasks: list_head
    avg_rt: sched_avg
    avg_dl: sched_avg
    avg_irq: sched_avg
    idle_stamp: u64
    avg_idle: u64
    max_idle_balance_cost: u64
    hotplug_wait: rcuwait
    prev_steal_time: u64
    prev_steal_time_rq: u64
    calc_load_update: u64
    calc_load_active: i64
    hrtick_csd: __call_single_data
    hrtick_timer: hrtimer
    hrtick_time: i64
    idle_state: cpuidle_state
    nr_pinned: u32
    push_busy: u32
    push_work: cpu_stop_work
    scratch_mask: array[cpumask, Literal[1]]
    cfsb_csd: __call_single_data
    cfsb_csd_list: list_head
class rq_end_io_ret(IntEnum):
    RQ_END_IO_NONE = 0
    RQ_END_IO_FREE = 1
class rq_flags(KernelStruct):
    ...
class rq_list(KernelStruct):
    head: request
    tail: request
class rq_qos(KernelStruct):
    ops: rq_qos_ops
    disk: gendisk
    id: u32
    next: rq_qos
    debugfs_dir: dentry
class rq_qos_id(IntEnum):
    RQ_QOS_WBT = 0
    RQ_QOS_LATENCY = 1
    RQ_QOS_COST = 2
class rq_qos_ops(KernelStruct):
    ...
rqspinlock_t: TypeAlias = qspinlock
class rseq(KernelStruct):
    cpu_id_start: u32
    cpu_id: u32
    rseq_cs: u64
    flags: u32
    node_id: u32
    mm_cid: u32
    end: array[char, Literal[0]]
class rt6_exception_bucket(KernelStruct):
    chain: hlist_head
    depth: i32
class rt6_info(KernelStruct):
    ...
class rt6_statistics(KernelStruct):
    ...
class rt6key(KernelStruct):
    addr: in6_addr
    plen: i32
class rt_bandwidth(KernelStruct):
    rt_runtime_lock: raw_spinlock
    rt_period: i64
    rt_runtime: u64
    rt_period_timer: hrtimer
    rt_period_active: u32
class rt_mutex(KernelStruct):
    rtmutex: rt_mutex_base
class rt_mutex_base(KernelStruct):
    wait_lock: raw_spinlock
    waiters: rb_root_cached
    owner: task_struct
class rt_mutex_waiter(KernelStruct):
    tree: rt_waiter_node
    pi_tree: rt_waiter_node
    task: task_struct
    lock: rt_mutex_base
    wake_state: u32
    ww_ctx: ww_acquire_ctx
class rt_prio_array(KernelStruct):
    bitmap: array[u64, Literal[2]]
    queue: array[list_head, Literal[100]]
class rt_rq(KernelStruct):
    active: rt_prio_array
    rt_nr_running: u32
    rr_nr_running: u32
    class highest_prio_t(KernelStruct):
        curr: i32
        next: i32
    highest_prio: highest_prio_t
    overloaded: bool
    pushable_tasks: plist_head
    rt_queued: i32
    rt_throttled: i32
    rt_time: u64
    rt_runtime: u64
    rt_runtime_lock: raw_spinlock
    rt_nr_boosted: u32
    rq: _v.rq
    tg: task_group
class rt_waiter_node(KernelStruct):
    entry: rb_node
    prio: i32
    deadline: u64
class rtable(KernelStruct):
    dst: dst_entry
    rt_genid: i32
    rt_flags: u32
    rt_type: u16
    rt_is_input: u8
    rt_uses_gateway: u8
    rt_iif: i32
    rt_gw_family: u8
    rt_gw4: u32
    rt_gw6: in6_addr
    rt_mtu_locked: u32
    rt_pmtu: u32
class rtnl_hw_stats64(KernelStruct):
    rx_packets: u64
    tx_packets: u64
    rx_bytes: u64
    tx_bytes: u64
    rx_errors: u64
    tx_errors: u64
    rx_dropped: u64
    tx_dropped: u64
    multicast: u64
class rtnl_link_ops(KernelStruct):
    ...
class rtnl_link_stats64(KernelStruct):
    ...
class rw_hint(IntEnum):
    WRITE_LIFE_NOT_SET = 0
    WRITE_LIFE_NONE = 1
    WRITE_LIFE_SHORT = 2
    WRITE_LIFE_MEDIUM = 3
    WRITE_LIFE_LONG = 4
    WRITE_LIFE_EXTREME = 5
    WRITE_LIFE_HINT_NR = 6
class rw_semaphore(KernelStruct):
    count: atomic_long_t
    owner: atomic_long_t
    osq: optimistic_spin_queue
    wait_lock: raw_spinlock
    wait_list: list_head
class rwlock_t(KernelStruct):
    raw_lock: qrwlock
class rx_handler_result(IntEnum):
    RX_HANDLER_CONSUMED = 0
    RX_HANDLER_ANOTHER = 1
    RX_HANDLER_EXACT = 2
    RX_HANDLER_PASS = 3
class rx_handler_result_t(IntEnum):
    RX_HANDLER_CONSUMED = 0
    RX_HANDLER_ANOTHER = 1
    RX_HANDLER_EXACT = 2
    RX_HANDLER_PASS = 3
s16: TypeAlias = i16
s32: TypeAlias = i32
s64: TypeAlias = i64
s8: TypeAlias = i8
sa_family_t: TypeAlias = u16
class saved(KernelStruct):
    link: path
    done: delayed_call
    name: ptr[u8]
    seq: u32
class saved_syn(KernelStruct):
    mac_hdrlen: u32
    network_hdrlen: u32
    tcp_hdrlen: u32
    data: array[u8, Literal[0]]
class sb_writers(KernelStruct):
    frozen: u16
    freeze_kcount: i32
    freeze_ucount: i32
    freeze_owner: Any
    rw_sem: array[percpu_rw_semaphore, Literal[3]]
class sbitmap(KernelStruct):
    depth: u32
    shift: u32
    map_nr: u32
    round_robin: bool
    map: sbitmap_word
    alloc_hint: ptr[u32]
class sbitmap_queue(KernelStruct):
    sb: sbitmap
    wake_batch: u32
    wake_index: atomic_t
    ws: sbq_wait_state
    ws_active: atomic_t
    min_shallow_depth: u32
    completion_cnt: atomic_t
    wakeup_cnt: atomic_t
class sbitmap_word(KernelStruct):
    ...
class sbq_wait_state(KernelStruct):
    ...
class scatterlist(KernelStruct):
    page_link: u64
    offset: u32
    length: u32
    dma_address: u64
    dma_length: u32
    dma_flags: u32
class sched_avg(KernelStruct):
    last_update_time: u64
    load_sum: u64
    runnable_sum: u64
    util_sum: u32
    period_contrib: u32
    load_avg: u64
    runnable_avg: u64
    util_avg: u64
    util_est: u32
class sched_class(KernelStruct):
    enqueue_task: Any
    dequeue_task: Any
    yield_task: Any
    yield_to_task: Any
    wakeup_preempt: Any
    balance: Any
    pick_task: Any
    pick_next_task: Any
    put_prev_task: Any
    set_next_task: Any
    select_task_rq: Any
    migrate_task_rq: Any
    task_woken: Any
    set_cpus_allowed: Any
    rq_online: Any
    rq_offline: Any
    find_lock_rq: Any
    task_tick: Any
    task_fork: Any
    task_dead: Any
    switching_to: Any
    switched_from: Any
    switched_to: Any
    reweight_task: Any
    prio_changed: Any
    get_rr_interval: Any
    update_curr: Any
    task_change_group: Any
class sched_dl_entity(KernelStruct):
    rb_node: _v.rb_node
    dl_runtime: u64
    dl_deadline: u64
    dl_period: u64
    dl_bw: u64
    dl_density: u64
    runtime: i64
    deadline: u64
    flags: u32
    dl_throttled: u32
    dl_yielded: u32
    dl_non_contending: u32
    dl_overrun: u32
    dl_server: u32
    dl_server_active: u32
    dl_defer: u32
    dl_defer_armed: u32
    dl_defer_running: u32
    dl_timer: hrtimer
    inactive_timer: hrtimer
    rq: _v.rq
    server_pick_task: Any
    pi_se: sched_dl_entity
class sched_domain(KernelStruct):
    parent: sched_domain
    child: sched_domain
    groups: sched_group
    min_interval: u64
    max_interval: u64
    busy_factor: u32
    imbalance_pct: u32
    cache_nice_tries: u32
    imb_numa_nr: u32
    nohz_idle: i32
    flags: i32
    level: i32
    last_balance: u64
    balance_interval: u32
    nr_balance_failed: u32
    newidle_call: u32
    newidle_success: u32
    newidle_ratio: u32
    max_newidle_lb_cost: u64
    last_decay_max_lb_cost: u64
    name: ptr[u8]
    private: Any
    rcu: callback_head
    shared: sched_domain_shared
    span_weight: u32
class sched_domain_shared(KernelStruct):
    ...
class sched_entity(KernelStruct):
    load: load_weight
    run_node: rb_node
    deadline: u64
    min_vruntime: u64
    min_slice: u64
    max_slice: u64
    group_node: list_head
    on_rq: u8
    sched_delayed: u8
    rel_deadline: u8
    custom_slice: u8
    exec_start: u64
    sum_exec_runtime: u64
    prev_sum_exec_runtime: u64
    vruntime: u64
    vlag: i64
    vprot: u64
    slice: u64
    nr_migrations: u64
    depth: i32
    parent: sched_entity
    cfs_rq: _v.cfs_rq
    my_q: _v.cfs_rq
    runnable_weight: u64
    avg: sched_avg
class sched_group(KernelStruct):
    ...
class sched_info(KernelStruct):
    pcount: u64
    run_delay: u64
    max_run_delay: u64
    min_run_delay: u64
    last_arrival: u64
    last_queued: u64
class sched_rt_entity(KernelStruct):
    run_list: list_head
    timeout: u64
    watchdog_stamp: u64
    time_slice: u32
    on_rq: u16
    on_list: u16
    back: sched_rt_entity
    parent: sched_rt_entity
    rt_rq: _v.rt_rq
    my_q: _v.rt_rq
class sched_statistics(KernelStruct):
    ...
class scm_stat(KernelStruct):
    nr_fds: atomic_t
    nr_unix_fds: u64
class sctp_association(KernelStruct):
    ...
class sctp_conntrack(IntEnum):
    SCTP_CONNTRACK_NONE = 0
    SCTP_CONNTRACK_CLOSED = 1
    SCTP_CONNTRACK_COOKIE_WAIT = 2
    SCTP_CONNTRACK_COOKIE_ECHOED = 3
    SCTP_CONNTRACK_ESTABLISHED = 4
    SCTP_CONNTRACK_SHUTDOWN_SENT = 5
    SCTP_CONNTRACK_SHUTDOWN_RECD = 6
    SCTP_CONNTRACK_SHUTDOWN_ACK_SENT = 7
    SCTP_CONNTRACK_HEARTBEAT_SENT = 8
    SCTP_CONNTRACK_HEARTBEAT_ACKED = 9
    SCTP_CONNTRACK_MAX = 10
class scx_task_group(KernelStruct):
    ...
class seccomp(KernelStruct):
    mode: i32
    filter_count: atomic_t
    filter: seccomp_filter
class seccomp_filter(KernelStruct):
    refs: refcount_struct
    users: refcount_struct
    log: bool
    wait_killable_recv: bool
    cache: action_cache
    prev: seccomp_filter
    prog: bpf_prog
    notif: notification
    notify_lock: mutex
    wqh: wait_queue_head
sector_t: TypeAlias = u64
class seg6_pernet_data(KernelStruct):
    ...
class sem_undo_list(KernelStruct):
    refcnt: refcount_struct
    lock: spinlock
    list_proc: list_head
class sembuf(KernelStruct):
    ...
class seq_file(KernelStruct):
    buf: ptr[u8]
    size: u64
    from_: u64
    count: u64
    pad_until: u64
    index: i64
    read_pos: i64
    lock: mutex
    op: seq_operations
    poll_event: i32
    file: _v.file
    private: Any
class seq_net_private(KernelStruct):
    net: _v.net
    ns_tracker: netns_tracker
class seq_operations(KernelStruct):
    ...
class seqcount(KernelStruct):
    sequence: u32
class seqcount_raw_spinlock(KernelStruct):
    seqcount: _v.seqcount
seqcount_raw_spinlock_t: TypeAlias = seqcount_raw_spinlock
class seqcount_spinlock(KernelStruct):
    seqcount: _v.seqcount
seqcount_spinlock_t: TypeAlias = seqcount_spinlock
seqcount_t: TypeAlias = seqcount
class seqlock_t(KernelStruct):
    seqcount: seqcount_spinlock
    lock: spinlock
class shortname_store(KernelStruct):
    string: array[u8, Literal[40]]
    words: array[u64, Literal[5]]
class shrink_control(KernelStruct):
    ...
class shrinker(KernelStruct):
    count_objects: Any
    scan_objects: Any
    batch: i64
    seeks: i32
    flags: u32
    refcount: refcount_struct
    done: completion
    rcu: callback_head
    private_data: Any
    list: list_head
    id: i32
    nr_deferred: atomic_long_t
class sigaction(KernelStruct):
    sa_handler: Any
    sa_flags: u64
    sa_restorer: Any
    sa_mask: sigset_t
class sighand_struct(KernelStruct):
    siglock: spinlock
    count: refcount_struct
    signalfd_wqh: wait_queue_head
    action: array[k_sigaction, Literal[64]]
class signal_struct(KernelStruct):
    sigcnt: refcount_struct
    live: atomic_t
    nr_threads: i32
    quick_threads: i32
    thread_head: list_head
    wait_chldexit: wait_queue_head
    curr_target: task_struct
    shared_pending: sigpending
    multiprocess: hlist_head
    group_exit_code: i32
    notify_count: i32
    group_exec_task: task_struct
    group_stop_count: i32
    flags: u32
    core_state: _v.core_state
    is_child_subreaper: u32
    has_child_subreaper: u32
    timer_create_restore_ids: u32
    next_posix_timer_id: atomic_t
    posix_timers: hlist_head
    ignored_posix_timers: hlist_head
    real_timer: hrtimer
    it_real_incr: i64
    it: array[cpu_itimer, Literal[2]]
    cputimer: thread_group_cputimer
    posix_cputimers: _v.posix_cputimers
    pids: array[pid, Literal[4]]
    tty_old_pgrp: pid
    leader: i32
    tty: tty_struct
    autogroup: _v.autogroup
    stats_lock: seqlock_t
    utime: u64
    stime: u64
    cutime: u64
    cstime: u64
    gtime: u64
    cgtime: u64
    prev_cputime: _v.prev_cputime
    nvcsw: u64
    nivcsw: u64
    cnvcsw: u64
    cnivcsw: u64
    min_flt: u64
    maj_flt: u64
    cmin_flt: u64
    cmaj_flt: u64
    inblock: u64
    oublock: u64
    cinblock: u64
    coublock: u64
    maxrss: u64
    cmaxrss: u64
    ioac: task_io_accounting
    sum_sched_runtime: u64
    rlim: array[rlimit, Literal[16]]
    pacct: pacct_struct
    stats: taskstats
    audit_tty: u32
    tty_audit_buf: _v.tty_audit_buf
    cgroup_threadgroup_rwsem: rw_semaphore
    oom_flag_origin: bool
    oom_score_adj: i16
    oom_score_adj_min: i16
    oom_mm: mm_struct
    cred_guard_mutex: mutex
    exec_update_lock: rw_semaphore
class sigpending(KernelStruct):
    list: list_head
    signal: sigset_t
class sigset_t(KernelStruct):
    sig: array[u64, Literal[1]]
class sigval(KernelStruct):
    sival_int: i32
    sival_ptr: Any
sigval_t: TypeAlias = sigval
class simple_xattrs(KernelStruct):
    rb_root: _v.rb_root
    lock: rwlock_t
class siphash_key_t(KernelStruct):
    key: array[u64, Literal[2]]
size_t: TypeAlias = u64
class sk_action(IntEnum):
    SK_DROP = 0
    SK_PASS = 1
class sk_buff(KernelStruct):
    next: sk_buff
    prev: sk_buff
    dev: net_device
    dev_scratch: u64
    rbnode: rb_node
    list: list_head
    ll_node: llist_node
    sk: sock
    tstamp: i64
    skb_mstamp_ns: u64
    cb: array[char, Literal[48]]
    _skb_refdst: u64
    destructor: Any
    tcp_tsorted_anchor: list_head
    _sk_redir: u64
    _nfct: u64
    len: u32
    data_len: u32
    mac_len: u16
    hdr_len: u16
    queue_mapping: u16
    __cloned_offset: array[u8, Literal[0]]
    cloned: u8
    nohdr: u8
    fclone: u8
    peeked: u8
    head_frag: u8
    pfmemalloc: u8
    pp_recycle: u8
    active_extensions: u8
    __pkt_type_offset: array[u8, Literal[0]]
    pkt_type: u8
    ignore_df: u8
    dst_pending_confirm: u8
    ip_summed: u8
    ooo_okay: u8
    __mono_tc_offset: array[u8, Literal[0]]
    tstamp_type: u8
    tc_at_ingress: u8
    tc_skip_classify: u8
    remcsum_offload: u8
    csum_complete_sw: u8
    csum_level: u8
    inner_protocol_type: u8
    l4_hash: u8
    sw_hash: u8
    no_fcs: u8
    encapsulation: u8
    encap_hdr_csum: u8
    csum_valid: u8
    nf_trace: u8
    redirected: u8
    from_ingress: u8
    nf_skip_egress: u8
    slow_gro: u8
    unreadable: u8
    tc_index: u16
    alloc_cpu: u16
    csum: u32
    csum_start: u16
    csum_offset: u16
    priority: u32
    skb_iif: i32
    hash: u32
    vlan_all: u32
    vlan_proto: u16
    vlan_tci: u16
    napi_id: u32
    sender_cpu: u32
    secmark: u32
    mark: u32
    reserved_tailroom: u32
    inner_protocol: u16
    inner_ipproto: u8
    inner_transport_header: u16
    inner_network_header: u16
    inner_mac_header: u16
    protocol: u16
    transport_header: u16
    network_header: u16
    mac_header: u16
    class headers_t(KernelStruct):
        __pkt_type_offset: array[u8, Literal[0]]
        pkt_type: u8
        ignore_df: u8
        dst_pending_confirm: u8
        ip_summed: u8
        ooo_okay: u8
        __mono_tc_offset: array[u8, Literal[0]]
        tstamp_type: u8
        tc_at_ingress: u8
        tc_skip_classify: u8
        remcsum_offload: u8
        csum_complete_sw: u8
        csum_level: u8
        inner_protocol_type: u8
        l4_hash: u8
        sw_hash: u8
        no_fcs: u8
        encapsulation: u8
        encap_hdr_csum: u8
        csum_valid: u8
        nf_trace: u8
        redirected: u8
        from_ingress: u8
        nf_skip_egress: u8
        slow_gro: u8
        unreadable: u8
        tc_index: u16
        alloc_cpu: u16
        csum: u32
        csum_start: u16
        csum_offset: u16
        priority: u32
        skb_iif: i32
        hash: u32
        vlan_all: u32
        vlan_proto: u16
        vlan_tci: u16
        napi_id: u32
        sender_cpu: u32
        secmark: u32
        mark: u32
        reserved_tailroom: u32
        inner_protocol: u16
        inner_ipproto: u8
        inner_transport_header: u16
        inner_network_header: u16
        inner_mac_header: u16
        protocol: u16
        transport_header: u16
        network_header: u16
        mac_header: u16
    headers: headers_t
    tail: u32
    end: u32
    head: ptr[u8]
    data: ptr[u8]
    truesize: u32
    users: refcount_struct
    extensions: skb_ext
sk_buff_data_t: TypeAlias = u32
class sk_buff_head(KernelStruct):
    next: sk_buff
    prev: sk_buff
    list: sk_buff_list
    qlen: u32
    lock: spinlock
class sk_buff_list(KernelStruct):
    next: sk_buff
    prev: sk_buff
class sk_filter(KernelStruct):
    refcnt: refcount_struct
    rcu: callback_head
    prog: bpf_prog
class sk_msg(KernelStruct):
    sg: sk_msg_sg
    data: Any
    data_end: Any
    apply_bytes: u32
    cork_bytes: u32
    flags: u32
    skb: sk_buff
    sk_redir: sock
    sk: sock
    list: list_head
class sk_msg_md(KernelStruct):
    data: Any
    data_end: Any
    family: u32
    remote_ip4: u32
    local_ip4: u32
    remote_ip6: array[u32, Literal[4]]
    local_ip6: array[u32, Literal[4]]
    remote_port: u32
    local_port: u32
    size: u32
    sk: bpf_sock
class sk_msg_sg(KernelStruct):
    start: u32
    curr: u32
    end: u32
    size: u32
    copybreak: u32
    copy: array[u64, Literal[1]]
    data: array[scatterlist, Literal[19]]
class sk_pacing(IntEnum):
    SK_PACING_NONE = 0
    SK_PACING_NEEDED = 1
    SK_PACING_FQ = 2
class sk_psock(KernelStruct):
    sk: sock
    sk_redir: sock
    apply_bytes: u32
    cork_bytes: u32
    eval: u32
    redir_ingress: bool
    cork: sk_msg
    progs: sk_psock_progs
    strp: strparser
    copied_seq: u32
    ingress_bytes: u32
    ingress_skb: sk_buff_head
    ingress_msg: list_head
    ingress_lock: spinlock
    msg_tot_len: u32
    state: u64
    link: list_head
    link_lock: spinlock
    refcnt: refcount_struct
    saved_unhash: Any
    saved_destroy: Any
    saved_close: Any
    saved_write_space: Any
    saved_data_ready: Any
    psock_update_sk_prot: Any
    sk_proto: proto
    work_mutex: mutex
    work_state: sk_psock_work_state
    work: delayed_work
    sk_pair: sock
    rwork: rcu_work
class sk_psock_progs(KernelStruct):
    msg_parser: bpf_prog
    stream_parser: bpf_prog
    stream_verdict: bpf_prog
    skb_verdict: bpf_prog
    msg_parser_link: bpf_link
    stream_parser_link: bpf_link
    stream_verdict_link: bpf_link
    skb_verdict_link: bpf_link
class sk_psock_work_state(KernelStruct):
    len: u32
    off: u32
class sk_reuseport_kern(KernelStruct):
    skb: sk_buff
    sk: sock
    selected_sk: sock
    migrating_sk: sock
    data_end: Any
    hash: u32
    reuseport_id: u32
    bind_inany: bool
class sk_reuseport_md(KernelStruct):
    data: Any
    data_end: Any
    len: u32
    eth_protocol: u32
    ip_protocol: u32
    bind_inany: u32
    hash: u32
    sk: bpf_sock
    migrating_sk: bpf_sock
class sk_rst_reason(IntEnum):
    SK_RST_REASON_NOT_SPECIFIED = 0
    SK_RST_REASON_NO_SOCKET = 1
    SK_RST_REASON_TCP_INVALID_ACK_SEQUENCE = 2
    SK_RST_REASON_TCP_RFC7323_PAWS = 3
    SK_RST_REASON_TCP_TOO_OLD_ACK = 4
    SK_RST_REASON_TCP_ACK_UNSENT_DATA = 5
    SK_RST_REASON_TCP_FLAGS = 6
    SK_RST_REASON_TCP_OLD_ACK = 7
    SK_RST_REASON_TCP_ABORT_ON_DATA = 8
    SK_RST_REASON_TCP_TIMEWAIT_SOCKET = 9
    SK_RST_REASON_INVALID_SYN = 10
    SK_RST_REASON_TCP_ABORT_ON_CLOSE = 11
    SK_RST_REASON_TCP_ABORT_ON_LINGER = 12
    SK_RST_REASON_TCP_ABORT_ON_MEMORY = 13
    SK_RST_REASON_TCP_STATE = 14
    SK_RST_REASON_TCP_KEEPALIVE_TIMEOUT = 15
    SK_RST_REASON_TCP_DISCONNECT_WITH_DATA = 16
    SK_RST_REASON_MPTCP_RST_EUNSPEC = 17
    SK_RST_REASON_MPTCP_RST_EMPTCP = 18
    SK_RST_REASON_MPTCP_RST_ERESOURCE = 19
    SK_RST_REASON_MPTCP_RST_EPROHIBIT = 20
    SK_RST_REASON_MPTCP_RST_EWQ2BIG = 21
    SK_RST_REASON_MPTCP_RST_EBADPERF = 22
    SK_RST_REASON_MPTCP_RST_EMIDDLEBOX = 23
    SK_RST_REASON_ERROR = 24
    SK_RST_REASON_MAX = 25
class skb_drop_reason(IntEnum):
    SKB_NOT_DROPPED_YET = 0
    SKB_CONSUMED = 1
    SKB_DROP_REASON_NOT_SPECIFIED = 2
    SKB_DROP_REASON_NO_SOCKET = 3
    SKB_DROP_REASON_SOCKET_CLOSE = 4
    SKB_DROP_REASON_SOCKET_FILTER = 5
    SKB_DROP_REASON_SOCKET_RCVBUFF = 6
    SKB_DROP_REASON_UNIX_DISCONNECT = 7
    SKB_DROP_REASON_UNIX_SKIP_OOB = 8
    SKB_DROP_REASON_PKT_TOO_SMALL = 9
    SKB_DROP_REASON_TCP_CSUM = 10
    SKB_DROP_REASON_UDP_CSUM = 11
    SKB_DROP_REASON_NETFILTER_DROP = 12
    SKB_DROP_REASON_OTHERHOST = 13
    SKB_DROP_REASON_IP_CSUM = 14
    SKB_DROP_REASON_IP_INHDR = 15
    SKB_DROP_REASON_IP_RPFILTER = 16
    SKB_DROP_REASON_UNICAST_IN_L2_MULTICAST = 17
    SKB_DROP_REASON_XFRM_POLICY = 18
    SKB_DROP_REASON_IP_NOPROTO = 19
    SKB_DROP_REASON_PROTO_MEM = 20
    SKB_DROP_REASON_TCP_AUTH_HDR = 21
    SKB_DROP_REASON_TCP_MD5NOTFOUND = 22
    SKB_DROP_REASON_TCP_MD5UNEXPECTED = 23
    SKB_DROP_REASON_TCP_MD5FAILURE = 24
    SKB_DROP_REASON_TCP_AONOTFOUND = 25
    SKB_DROP_REASON_TCP_AOUNEXPECTED = 26
    SKB_DROP_REASON_TCP_AOKEYNOTFOUND = 27
    SKB_DROP_REASON_TCP_AOFAILURE = 28
    SKB_DROP_REASON_SOCKET_BACKLOG = 29
    SKB_DROP_REASON_TCP_FLAGS = 30
    SKB_DROP_REASON_TCP_ABORT_ON_DATA = 31
    SKB_DROP_REASON_TCP_ZEROWINDOW = 32
    SKB_DROP_REASON_TCP_OLD_DATA = 33
    SKB_DROP_REASON_TCP_OVERWINDOW = 34
    SKB_DROP_REASON_TCP_OFOMERGE = 35
    SKB_DROP_REASON_TCP_RFC7323_PAWS = 36
    SKB_DROP_REASON_TCP_RFC7323_PAWS_ACK = 37
    SKB_DROP_REASON_TCP_RFC7323_TW_PAWS = 38
    SKB_DROP_REASON_TCP_RFC7323_TSECR = 39
    SKB_DROP_REASON_TCP_LISTEN_OVERFLOW = 40
    SKB_DROP_REASON_TCP_OLD_SEQUENCE = 41
    SKB_DROP_REASON_TCP_INVALID_SEQUENCE = 42
    SKB_DROP_REASON_TCP_INVALID_END_SEQUENCE = 43
    SKB_DROP_REASON_TCP_INVALID_ACK_SEQUENCE = 44
    SKB_DROP_REASON_TCP_RESET = 45
    SKB_DROP_REASON_TCP_INVALID_SYN = 46
    SKB_DROP_REASON_TCP_CLOSE = 47
    SKB_DROP_REASON_TCP_FASTOPEN = 48
    SKB_DROP_REASON_TCP_OLD_ACK = 49
    SKB_DROP_REASON_TCP_TOO_OLD_ACK = 50
    SKB_DROP_REASON_TCP_ACK_UNSENT_DATA = 51
    SKB_DROP_REASON_TCP_OFO_QUEUE_PRUNE = 52
    SKB_DROP_REASON_TCP_OFO_DROP = 53
    SKB_DROP_REASON_IP_OUTNOROUTES = 54
    SKB_DROP_REASON_BPF_CGROUP_EGRESS = 55
    SKB_DROP_REASON_IPV6DISABLED = 56
    SKB_DROP_REASON_NEIGH_CREATEFAIL = 57
    SKB_DROP_REASON_NEIGH_FAILED = 58
    SKB_DROP_REASON_NEIGH_QUEUEFULL = 59
    SKB_DROP_REASON_NEIGH_DEAD = 60
    SKB_DROP_REASON_NEIGH_HH_FILLFAIL = 61
    SKB_DROP_REASON_TC_EGRESS = 62
    SKB_DROP_REASON_SECURITY_HOOK = 63
    SKB_DROP_REASON_QDISC_DROP = 64
    SKB_DROP_REASON_QDISC_OVERLIMIT = 65
    SKB_DROP_REASON_QDISC_CONGESTED = 66
    SKB_DROP_REASON_CAKE_FLOOD = 67
    SKB_DROP_REASON_FQ_BAND_LIMIT = 68
    SKB_DROP_REASON_FQ_HORIZON_LIMIT = 69
    SKB_DROP_REASON_FQ_FLOW_LIMIT = 70
    SKB_DROP_REASON_CPU_BACKLOG = 71
    SKB_DROP_REASON_XDP = 72
    SKB_DROP_REASON_TC_INGRESS = 73
    SKB_DROP_REASON_UNHANDLED_PROTO = 74
    SKB_DROP_REASON_SKB_CSUM = 75
    SKB_DROP_REASON_SKB_GSO_SEG = 76
    SKB_DROP_REASON_SKB_UCOPY_FAULT = 77
    SKB_DROP_REASON_DEV_HDR = 78
    SKB_DROP_REASON_DEV_READY = 79
    SKB_DROP_REASON_FULL_RING = 80
    SKB_DROP_REASON_NOMEM = 81
    SKB_DROP_REASON_HDR_TRUNC = 82
    SKB_DROP_REASON_TAP_FILTER = 83
    SKB_DROP_REASON_TAP_TXFILTER = 84
    SKB_DROP_REASON_ICMP_CSUM = 85
    SKB_DROP_REASON_INVALID_PROTO = 86
    SKB_DROP_REASON_IP_INADDRERRORS = 87
    SKB_DROP_REASON_IP_INNOROUTES = 88
    SKB_DROP_REASON_IP_LOCAL_SOURCE = 89
    SKB_DROP_REASON_IP_INVALID_SOURCE = 90
    SKB_DROP_REASON_IP_LOCALNET = 91
    SKB_DROP_REASON_IP_INVALID_DEST = 92
    SKB_DROP_REASON_PKT_TOO_BIG = 93
    SKB_DROP_REASON_DUP_FRAG = 94
    SKB_DROP_REASON_FRAG_REASM_TIMEOUT = 95
    SKB_DROP_REASON_FRAG_TOO_FAR = 96
    SKB_DROP_REASON_TCP_MINTTL = 97
    SKB_DROP_REASON_IPV6_BAD_EXTHDR = 98
    SKB_DROP_REASON_IPV6_NDISC_FRAG = 99
    SKB_DROP_REASON_IPV6_NDISC_HOP_LIMIT = 100
    SKB_DROP_REASON_IPV6_NDISC_BAD_CODE = 101
    SKB_DROP_REASON_IPV6_NDISC_BAD_OPTIONS = 102
    SKB_DROP_REASON_IPV6_NDISC_NS_OTHERHOST = 103
    SKB_DROP_REASON_QUEUE_PURGE = 104
    SKB_DROP_REASON_TC_COOKIE_ERROR = 105
    SKB_DROP_REASON_PACKET_SOCK_ERROR = 106
    SKB_DROP_REASON_TC_CHAIN_NOTFOUND = 107
    SKB_DROP_REASON_TC_RECLASSIFY_LOOP = 108
    SKB_DROP_REASON_VXLAN_INVALID_HDR = 109
    SKB_DROP_REASON_VXLAN_VNI_NOT_FOUND = 110
    SKB_DROP_REASON_MAC_INVALID_SOURCE = 111
    SKB_DROP_REASON_VXLAN_ENTRY_EXISTS = 112
    SKB_DROP_REASON_NO_TX_TARGET = 113
    SKB_DROP_REASON_IP_TUNNEL_ECN = 114
    SKB_DROP_REASON_TUNNEL_TXINFO = 115
    SKB_DROP_REASON_LOCAL_MAC = 116
    SKB_DROP_REASON_ARP_PVLAN_DISABLE = 117
    SKB_DROP_REASON_MAC_IEEE_MAC_CONTROL = 118
    SKB_DROP_REASON_BRIDGE_INGRESS_STP_STATE = 119
    SKB_DROP_REASON_CAN_RX_INVALID_FRAME = 120
    SKB_DROP_REASON_CANFD_RX_INVALID_FRAME = 121
    SKB_DROP_REASON_CANXL_RX_INVALID_FRAME = 122
    SKB_DROP_REASON_PFMEMALLOC = 123
    SKB_DROP_REASON_DUALPI2_STEP_DROP = 124
    SKB_DROP_REASON_PSP_INPUT = 125
    SKB_DROP_REASON_PSP_OUTPUT = 126
    SKB_DROP_REASON_RECURSION_LIMIT = 127
    SKB_DROP_REASON_MAX = 128
    SKB_DROP_REASON_SUBSYS_MASK = 4294901760
class skb_ext(KernelStruct):
    refcnt: refcount_struct
    offset: array[u8, Literal[3]]
    chunks: u8
    data: array[char, Literal[0]]
class skb_frag(KernelStruct):
    netmem: u64
    len: u32
    offset: u32
skb_frag_t: TypeAlias = skb_frag
class skb_shared_hwtstamps(KernelStruct):
    hwtstamp: i64
    netdev_data: Any
class skb_shared_info(KernelStruct):
    flags: u8
    meta_len: u8
    nr_frags: u8
    tx_flags: u8
    gso_size: u16
    gso_segs: u16
    frag_list: sk_buff
    hwtstamps: skb_shared_hwtstamps
    xsk_meta: xsk_tx_metadata_compl
    gso_type: u32
    tskey: u32
    dataref: atomic_t
    xdp_frags_size: u32
    xdp_frags_truesize: u32
    destructor_arg: Any
    frags: array[skb_frag, Literal[17]]
class slab(KernelStruct):
    ...
slab_flags_t: TypeAlias = u32
class slab_sheaf(KernelStruct):
    ...
class slub_percpu_sheaves(KernelStruct):
    lock: local_trylock_t
    main: slab_sheaf
    spare: slab_sheaf
    rcu_free: slab_sheaf
class sock(KernelStruct):
    __sk_common: sock_common
    __cacheline_group_begin__sock_write_rx: array[u8, Literal[0]]
    sk_drops: atomic_t
    sk_peek_off: i32
    sk_error_queue: sk_buff_head
    sk_receive_queue: sk_buff_head
    class sk_backlog_t(KernelStruct):
        rmem_alloc: atomic_t
        len: i32
        head: sk_buff
        tail: sk_buff
    sk_backlog: sk_backlog_t
    __cacheline_group_end__sock_write_rx: array[u8, Literal[0]]
    __cacheline_group_begin__sock_read_rx: array[u8, Literal[0]]
    sk_rx_dst: dst_entry
    sk_rx_dst_ifindex: i32
    sk_rx_dst_cookie: u32
    sk_ll_usec: u32
    sk_napi_id: u32
    sk_busy_poll_budget: u16
    sk_prefer_busy_poll: u8
    sk_userlocks: u8
    sk_rcvbuf: i32
    sk_filter: _v.sk_filter
    sk_wq: socket_wq
    sk_wq_raw: socket_wq
    sk_data_ready: Any
    sk_rcvtimeo: i64
    sk_rcvlowat: i32
    __cacheline_group_end__sock_read_rx: array[u8, Literal[0]]
    __cacheline_group_begin__sock_read_rxtx: array[u8, Literal[0]]
    sk_err: i32
    sk_socket: socket
    sk_memcg: mem_cgroup
    sk_policy: array[xfrm_policy, Literal[2]]
    __cacheline_group_end__sock_read_rxtx: array[u8, Literal[0]]
    __cacheline_group_begin__sock_write_rxtx: array[u8, Literal[0]]
    sk_lock: socket_lock_t
    sk_reserved_mem: u32
    sk_forward_alloc: i32
    sk_tsflags: u32
    __cacheline_group_end__sock_write_rxtx: array[u8, Literal[0]]
    __cacheline_group_begin__sock_write_tx: array[u8, Literal[0]]
    sk_write_pending: i32
    sk_omem_alloc: atomic_t
    sk_err_soft: i32
    sk_wmem_queued: i32
    sk_wmem_alloc: refcount_struct
    sk_tsq_flags: u64
    sk_send_head: sk_buff
    tcp_rtx_queue: rb_root
    sk_write_queue: sk_buff_head
    sk_dst_pending_confirm: u32
    sk_pacing_status: u32
    sk_frag: page_frag
    sk_timer: timer_list
    sk_pacing_rate: u64
    sk_zckey: atomic_t
    sk_tskey: atomic_t
    __cacheline_group_end__sock_write_tx: array[u8, Literal[0]]
    __cacheline_group_begin__sock_read_tx: array[u8, Literal[0]]
    sk_max_pacing_rate: u64
    sk_sndtimeo: i64
    sk_priority: u32
    sk_mark: u32
    sk_uid: kuid_t
    sk_protocol: u16
    sk_type: u16
    sk_dst_cache: dst_entry
    sk_route_caps: u64
    sk_gso_type: u16
    sk_gso_max_segs: u16
    sk_gso_max_size: u32
    sk_allocation: u32
    sk_txhash: u32
    sk_sndbuf: i32
    sk_pacing_shift: u8
    sk_use_task_frag: bool
    __cacheline_group_end__sock_read_tx: array[u8, Literal[0]]
    sk_gso_disabled: u8
    sk_kern_sock: u8
    sk_no_check_tx: u8
    sk_no_check_rx: u8
    sk_shutdown: u8
    sk_lingertime: u64
    sk_prot_creator: proto
    sk_callback_lock: rwlock_t
    sk_ack_backlog: u32
    sk_max_ack_backlog: u32
    sk_ino: u64
    sk_peer_lock: spinlock
    sk_bind_phc: i32
    sk_peer_pid: pid
    sk_peer_cred: cred
    sk_stamp: i64
    sk_disconnects: i32
    sk_txrehash: u8
    sk_scm_recv_flags: u8
    sk_scm_credentials: u8
    sk_scm_security: u8
    sk_scm_pidfd: u8
    sk_scm_rights: u8
    sk_scm_unused: u8
    sk_clockid: u8
    sk_txtime_deadline_mode: u8
    sk_txtime_report_errors: u8
    sk_txtime_unused: u8
    sk_bpf_cb_flags: u8
    sk_user_data: Any
    sk_security: Any
    sk_cgrp_data: sock_cgroup_data
    sk_state_change: Any
    sk_write_space: Any
    sk_error_report: Any
    sk_backlog_rcv: Any
    sk_destruct: Any
    sk_reuseport_cb: sock_reuseport
    sk_bpf_storage: bpf_local_storage
    sk_drop_counters: numa_drop_counters
    sk_rcu: callback_head
    ns_tracker: netns_tracker
    sk_user_frags: xarray
class sock_cgroup_data(KernelStruct):
    cgroup: _v.cgroup
    classid: u32
    prioidx: u16
class sock_common(KernelStruct):
    skc_addrpair: u64
    skc_daddr: u32
    skc_rcv_saddr: u32
    skc_hash: u32
    skc_u16hashes: array[u16, Literal[2]]
    skc_portpair: u32
    skc_dport: u16
    skc_num: u16
    skc_family: u16
    skc_state: u8
    skc_reuse: u8
    skc_reuseport: u8
    skc_ipv6only: u8
    skc_net_refcnt: u8
    skc_bound_dev_if: i32
    skc_bind_node: hlist_node
    skc_portaddr_node: hlist_node
    skc_prot: proto
    skc_net: possible_net_t
    skc_v6_daddr: in6_addr
    skc_v6_rcv_saddr: in6_addr
    skc_cookie: atomic64_t
    skc_flags: u64
    skc_listener: sock
    skc_tw_dr: inet_timewait_death_row
    skc_dontcopy_begin: array[i32, Literal[0]]
    skc_node: hlist_node
    skc_nulls_node: hlist_nulls_node
    skc_tx_queue_mapping: u16
    skc_rx_queue_mapping: u16
    skc_incoming_cpu: i32
    skc_rcv_wnd: u32
    skc_tw_rcv_nxt: u32
    skc_refcnt: refcount_struct
    skc_dontcopy_end: array[i32, Literal[0]]
    skc_rxhash: u32
    skc_window_clamp: u32
    skc_tw_snd_nxt: u32
class sock_filter(KernelStruct):
    code: u16
    jt: u8
    jf: u8
    k: u32
class sock_fprog_kern(KernelStruct):
    len: u16
    filter: sock_filter
class sock_reuseport(KernelStruct):
    rcu: callback_head
    max_socks: u16
    num_socks: u16
    num_closed_socks: u16
    incoming_cpu: u16
    synq_overflow_ts: u32
    reuseport_id: u32
    bind_inany: u32
    has_conns: u32
    prog: bpf_prog
    socks: array[sock, Literal[0]]
class sock_type(IntEnum):
    SOCK_STREAM = 1
    SOCK_DGRAM = 2
    SOCK_RAW = 3
    SOCK_RDM = 4
    SOCK_SEQPACKET = 5
    SOCK_DCCP = 6
    SOCK_PACKET = 10
class sockaddr(KernelStruct):
    sa_family: u16
    sa_data_min: array[char, Literal[14]]
    class __empty_sa_data_t(KernelStruct):
        ...
    __empty_sa_data: __empty_sa_data_t
    sa_data: array[char, Literal[0]]
class sockaddr_in(KernelStruct):
    sin_family: u16
    sin_port: u16
    sin_addr: in_addr
    __pad: array[u8, Literal[8]]
class sockaddr_in6(KernelStruct):
    sin6_family: u16
    sin6_port: u16
    sin6_flowinfo: u32
    sin6_addr: in6_addr
    sin6_scope_id: u32
class sockaddr_ll(KernelStruct):
    sll_family: u16
    sll_protocol: u16
    sll_ifindex: i32
    sll_hatype: u16
    sll_pkttype: u8
    sll_halen: u8
    sll_addr: array[u8, Literal[8]]
class sockaddr_un(KernelStruct):
    sun_family: u16
    sun_path: array[char, Literal[108]]
class socket(KernelStruct):
    state: u32
    type: i16
    flags: u64
    file: _v.file
    sk: sock
    ops: proto_ops
    wq: socket_wq
class socket_alloc(KernelStruct):
    socket: _v.socket
    vfs_inode: inode
class socket_lock_t(KernelStruct):
    slock: spinlock
    owned: i32
    wq: wait_queue_head
class socket_state(IntEnum):
    SS_FREE = 0
    SS_UNCONNECTED = 1
    SS_CONNECTING = 2
    SS_CONNECTED = 3
    SS_DISCONNECTING = 4
class socket_wq(KernelStruct):
    wait: wait_queue_head
    fasync_list: fasync_struct
    flags: u64
    rcu: callback_head
class sockptr_t(KernelStruct):
    kernel: Any
    user: Any
    is_kernel: bool
class softirq_action(KernelStruct):
    action: Any
speed_t: TypeAlias = u32
class spinlock(KernelStruct):
    rlock: raw_spinlock
spinlock_t: TypeAlias = spinlock
class srcu_ctr(KernelStruct):
    ...
class srcu_data(KernelStruct):
    ...
class srcu_struct(KernelStruct):
    srcu_ctrp: srcu_ctr
    sda: srcu_data
    dep_map: lockdep_map
    srcu_sup: srcu_usage
class srcu_usage(KernelStruct):
    ...
ssize_t: TypeAlias = i64
class stack_map_bucket(KernelStruct):
    ...
class static_call_key(KernelStruct):
    ...
class static_call_site(KernelStruct):
    ...
class strp_callbacks(KernelStruct):
    parse_msg: Any
    rcv_msg: Any
    read_sock: Any
    read_sock_done: Any
    abort_parser: Any
    lock: Any
    unlock: Any
class strp_stats(KernelStruct):
    msgs: u64
    bytes: u64
    mem_fail: u32
    need_more_hdr: u32
    msg_too_big: u32
    msg_timeouts: u32
    bad_hdr_len: u32
class strparser(KernelStruct):
    sk: sock
    stopped: u32
    paused: u32
    aborted: u32
    interrupted: u32
    unrecov_intr: u32
    skb_nextp: Any
    skb_head: sk_buff
    need_bytes: u32
    msg_timer_work: delayed_work
    work: work_struct
    stats: strp_stats
    cb: strp_callbacks
class super_block(KernelStruct):
    s_list: list_head
    s_dev: u32
    s_blocksize_bits: u8
    s_blocksize: u64
    s_maxbytes: i64
    s_type: file_system_type
    s_op: super_operations
    dq_op: dquot_operations
    s_qcop: quotactl_ops
    s_export_op: export_operations
    s_flags: u64
    s_iflags: u64
    s_magic: u64
    s_root: dentry
    s_umount: rw_semaphore
    s_count: i32
    s_active: atomic_t
    s_security: Any
    s_xattr: Any
    s_cop: fscrypt_operations
    s_master_keys: fscrypt_keyring
    s_roots: hlist_bl_head
    s_mounts: mount
    s_bdev: block_device
    s_bdev_file: file
    s_bdi: backing_dev_info
    s_mtd: Any
    s_instances: hlist_node
    s_quota_types: u32
    s_dquot: quota_info
    s_writers: sb_writers
    s_fs_info: Any
    s_time_gran: u32
    s_time_min: i64
    s_time_max: i64
    s_fsnotify_mask: u32
    s_fsnotify_info: fsnotify_sb_info
    s_id: array[char, Literal[32]]
    s_uuid: uuid_t
    s_uuid_len: u8
    s_sysfs_name: array[char, Literal[37]]
    s_max_links: u32
    s_d_flags: u32
    s_vfs_rename_mutex: mutex
    s_subtype: ptr[u8]
    __s_d_op: dentry_operations
    s_shrink: shrinker
    s_remove_count: atomic_long_t
    s_readonly_remount: i32
    s_wb_err: u32
    s_dio_done_wq: workqueue_struct
    s_pins: hlist_head
    s_user_ns: user_namespace
    s_dentry_lru: list_lru
    s_inode_lru: list_lru
    rcu: callback_head
    destroy_work: work_struct
    s_sync_lock: mutex
    s_stack_depth: i32
    s_inode_list_lock: spinlock
    s_inodes: list_head
    s_inode_wblist_lock: spinlock
    s_inodes_wb: list_head
    s_kept_inodes: llist_head
    s_kept_work: work_struct
class super_operations(KernelStruct):
    ...
class swait_queue_head(KernelStruct):
    lock: raw_spinlock
    task_list: list_head
class swp_entry_t(KernelStruct):
    val: u64
class syscall_trace_enter(KernelStruct):
    ent: trace_entry
    nr: i32
    args: array[u64, Literal[0]]
class syscall_trace_exit(KernelStruct):
    ent: trace_entry
    nr: i32
    ret: i64
class syscall_user_dispatch(KernelStruct):
    selector: ptr[u8]
    offset: u64
    len: u64
    on_dispatch: bool
class sysctl_fib_multipath_hash_seed(KernelStruct):
    user_seed: u32
    mp_seed: u32
class sysv_sem(KernelStruct):
    undo_list: sem_undo_list
class sysv_shm(KernelStruct):
    shm_clist: list_head
class task_cputime(KernelStruct):
    stime: u64
    utime: u64
    sum_exec_runtime: u64
class task_cputime_atomic(KernelStruct):
    utime: atomic64_t
    stime: atomic64_t
    sum_exec_runtime: atomic64_t
class task_delay_info(KernelStruct):
    lock: raw_spinlock
    blkio_start: u64
    blkio_delay_max: u64
    blkio_delay_min: u64
    blkio_delay: u64
    swapin_start: u64
    swapin_delay_max: u64
    swapin_delay_min: u64
    swapin_delay: u64
    blkio_count: u32
    swapin_count: u32
    freepages_start: u64
    freepages_delay_max: u64
    freepages_delay_min: u64
    freepages_delay: u64
    thrashing_start: u64
    thrashing_delay_max: u64
    thrashing_delay_min: u64
    thrashing_delay: u64
    compact_start: u64
    compact_delay_max: u64
    compact_delay_min: u64
    compact_delay: u64
    wpcopy_start: u64
    wpcopy_delay_max: u64
    wpcopy_delay_min: u64
    wpcopy_delay: u64
    irq_delay_max: u64
    irq_delay_min: u64
    irq_delay: u64
    freepages_count: u32
    thrashing_count: u32
    compact_count: u32
    wpcopy_count: u32
    irq_count: u32
class task_group(KernelStruct):
    css: cgroup_subsys_state
    idle: i32
    se: Any
    cfs_rq: Any
    shares: u64
    load_avg: atomic_long_t
    rt_se: Any
    rt_rq: Any
    rt_bandwidth: _v.rt_bandwidth
    scx: scx_task_group
    rcu: callback_head
    list: list_head
    parent: task_group
    siblings: list_head
    children: list_head
    autogroup: _v.autogroup
    cfs_bandwidth: _v.cfs_bandwidth
class task_io_accounting(KernelStruct):
    rchar: u64
    wchar: u64
    syscr: u64
    syscw: u64
    read_bytes: u64
    write_bytes: u64
    cancelled_write_bytes: u64
class task_struct(KernelStruct):
    thread_info: _v.thread_info
    __state: u32
    saved_state: u32
    stack: Any
    usage: refcount_struct
    flags: u32
    ptrace: u32
    on_cpu: i32
    wake_entry: __call_single_node
    wakee_flips: u32
    wakee_flip_decay_ts: u64
    last_wakee: task_struct
    recent_used_cpu: i32
    wake_cpu: i32
    on_rq: i32
    prio: i32
    static_prio: i32
    normal_prio: i32
    rt_priority: u32
    se: sched_entity
    rt: sched_rt_entity
    dl: sched_dl_entity
    dl_server: sched_dl_entity
    sched_class: _v.sched_class
    sched_task_group: task_group
    sched_throttle_work: callback_head
    throttle_node: list_head
    throttled: bool
    stats: sched_statistics
    preempt_notifiers: hlist_head
    btrace_seq: u32
    policy: u32
    max_allowed_capacity: u64
    nr_cpus_allowed: i32
    cpus_ptr: cpumask
    user_cpus_ptr: cpumask
    cpus_mask: cpumask
    migration_pending: Any
    migration_disabled: u16
    migration_flags: u16
    rcu_read_lock_nesting: i32
    rcu_read_unlock_special: rcu_special
    rcu_node_entry: list_head
    rcu_blocked_node: rcu_node
    rcu_tasks_nvcsw: u64
    rcu_tasks_holdout: u8
    rcu_tasks_idx: u8
    rcu_tasks_idle_cpu: i32
    rcu_tasks_holdout_list: list_head
    rcu_tasks_exit_cpu: i32
    rcu_tasks_exit_list: list_head
    trc_reader_nesting: i32
    trc_ipi_to_cpu: i32
    trc_reader_special: rcu_special
    trc_holdout_list: list_head
    trc_blkd_node: list_head
    trc_blkd_cpu: i32
    sched_info: _v.sched_info
    tasks: list_head
    pushable_tasks: plist_node
    pushable_dl_tasks: rb_node
    mm: mm_struct
    active_mm: mm_struct
    faults_disabled_mapping: address_space
    exit_state: i32
    exit_code: i32
    exit_signal: i32
    pdeath_signal: i32
    jobctl: u64
    personality: u32
    sched_reset_on_fork: u32
    sched_contributes_to_load: u32
    sched_migrated: u32
    sched_task_hot: u32
    sched_remote_wakeup: u32
    sched_rt_mutex: u32
    user_dumpable: u32
    in_execve: u32
    init_private_fork_class: u32
    in_iowait: u32
    restore_sigmask: u32
    in_user_fault: u32
    no_cgroup_migration: u32
    frozen: u32
    use_memdelay: u32
    in_memstall: u32
    in_eventfd: u32
    reported_split_lock: u32
    in_thrashing: u32
    in_nf_duplicate: u32
    atomic_flags: u64
    restart_block: _v.restart_block
    pid: i32
    tgid: i32
    stack_canary: u64
    real_parent: task_struct
    parent: task_struct
    children: list_head
    sibling: list_head
    group_leader: task_struct
    ptraced: list_head
    ptrace_entry: list_head
    thread_pid: _v.pid
    pid_links: array[hlist_node, Literal[4]]
    thread_node: list_head
    vfork_done: completion
    set_child_tid: ptr[i32]
    clear_child_tid: ptr[i32]
    worker_private: Any
    utime: u64
    stime: u64
    gtime: u64
    prev_cputime: _v.prev_cputime
    nvcsw: u64
    nivcsw: u64
    start_time: u64
    start_boottime: u64
    min_flt: u64
    maj_flt: u64
    posix_cputimers: _v.posix_cputimers
    posix_cputimers_work: _v.posix_cputimers_work
    ptracer_cred: _v.cred
    real_cred: _v.cred
    cred: _v.cred
    cached_requested_key: key
    comm: array[char, Literal[16]]
    nameidata: _v.nameidata
    sysvsem: sysv_sem
    sysvshm: sysv_shm
    last_switch_count: u64
    last_switch_time: u64
    fs: fs_struct
    files: files_struct
    io_uring: io_uring_task
    nsproxy: _v.nsproxy
    signal: signal_struct
    sighand: sighand_struct
    blocked: sigset_t
    real_blocked: sigset_t
    saved_sigmask: sigset_t
    pending: sigpending
    sas_ss_sp: u64
    sas_ss_size: u64
    sas_ss_flags: u32
    task_works: callback_head
    audit_context: _v.audit_context
    loginuid: kuid_t
    sessionid: u32
    seccomp: _v.seccomp
    syscall_dispatch: syscall_user_dispatch
    parent_exec_id: u64
    self_exec_id: u64
    alloc_lock: spinlock
    pi_lock: raw_spinlock
    wake_q: wake_q_node
    pi_waiters: rb_root_cached
    pi_top_task: task_struct
    pi_blocked_on: rt_mutex_waiter
    blocked_on: mutex
    blocker: u64
    journal_info: Any
    bio_list: _v.bio_list
    plug: blk_plug
    reclaim_state: _v.reclaim_state
    io_context: _v.io_context
    capture_control: _v.capture_control
    ptrace_message: u64
    last_siginfo: kernel_siginfo
    ioac: task_io_accounting
    psi_flags: u32
    acct_rss_mem1: u64
    acct_vm_mem1: u64
    acct_timexpd: u64
    mems_allowed: nodemask_t
    mems_allowed_seq: seqcount_spinlock
    cpuset_mem_spread_rotor: i32
    cgroups: css_set
    cg_list: list_head
    robust_list: robust_list_head
    compat_robust_list: compat_robust_list_head
    pi_state_list: list_head
    pi_state_cache: futex_pi_state
    futex_exit_mutex: mutex
    futex_state: u32
    perf_recursion: array[u8, Literal[4]]
    perf_event_ctxp: perf_event_context
    perf_event_mutex: mutex
    perf_event_list: list_head
    perf_ctx_data: _v.perf_ctx_data
    mempolicy: _v.mempolicy
    il_prev: i16
    il_weight: u8
    pref_node_fork: i16
    numa_scan_seq: i32
    numa_scan_period: u32
    numa_scan_period_max: u32
    numa_preferred_nid: i32
    numa_migrate_retry: u64
    node_stamp: u64
    last_task_numa_placement: u64
    last_sum_exec_runtime: u64
    numa_work: callback_head
    numa_group: _v.numa_group
    numa_faults: ptr[u64]
    total_numa_faults: u64
    numa_faults_locality: array[u64, Literal[3]]
    numa_pages_migrated: u64
    rseq: _v.rseq
    rseq_len: u32
    rseq_sig: u32
    rseq_event_mask: u64
    mm_cid: i32
    last_mm_cid: i32
    migrate_from_cpu: i32
    mm_cid_active: i32
    cid_work: callback_head
    tlb_ubc: tlbflush_unmap_batch
    splice_pipe: pipe_inode_info
    task_frag: page_frag
    delays: task_delay_info
    nr_dirtied: i32
    nr_dirtied_pause: i32
    dirty_paused_when: u64
    timer_slack_ns: u64
    default_timer_slack_ns: u64
    trace_recursion: u64
    memcg_in_oom: mem_cgroup
    memcg_nr_pages_over_high: u32
    active_memcg: mem_cgroup
    objcg: obj_cgroup
    throttle_disk: gendisk
    utask: uprobe_task
    kmap_ctrl: _v.kmap_ctrl
    rcu: callback_head
    rcu_users: refcount_struct
    pagefault_disabled: i32
    oom_reaper_list: task_struct
    oom_reaper_timer: timer_list
    stack_vm_area: vm_struct
    stack_refcount: refcount_struct
    security: Any
    bpf_storage: bpf_local_storage
    bpf_ctx: bpf_run_ctx
    bpf_net_context: _v.bpf_net_context
    kstack_offset: u32
    l1d_flush_kill: callback_head
    unwind_info: unwind_task_info
    thread: thread_struct
class task_work_notify_mode(IntEnum):
    TWA_NONE = 0
    TWA_RESUME = 1
    TWA_SIGNAL = 2
    TWA_SIGNAL_NO_IPI = 3
    TWA_NMI_CURRENT = 4
class taskstats(KernelStruct):
    version: u16
    ac_exitcode: u32
    ac_flag: u8
    ac_nice: u8
    cpu_count: u64
    cpu_delay_total: u64
    blkio_count: u64
    blkio_delay_total: u64
    swapin_count: u64
    swapin_delay_total: u64
    cpu_run_real_total: u64
    cpu_run_virtual_total: u64
    ac_comm: array[char, Literal[32]]
    ac_sched: u8
    ac_pad: array[u8, Literal[3]]
    ac_uid: u32
    ac_gid: u32
    ac_pid: u32
    ac_ppid: u32
    ac_btime: u32
    ac_etime: u64
    ac_utime: u64
    ac_stime: u64
    ac_minflt: u64
    ac_majflt: u64
    coremem: u64
    virtmem: u64
    hiwater_rss: u64
    hiwater_vm: u64
    read_char: u64
    write_char: u64
    read_syscalls: u64
    write_syscalls: u64
    read_bytes: u64
    write_bytes: u64
    cancelled_write_bytes: u64
    nvcsw: u64
    nivcsw: u64
    ac_utimescaled: u64
    ac_stimescaled: u64
    cpu_scaled_run_real_total: u64
    freepages_count: u64
    freepages_delay_total: u64
    thrashing_count: u64
    thrashing_delay_total: u64
    ac_btime64: u64
    compact_count: u64
    compact_delay_total: u64
    ac_tgid: u32
    ac_tgetime: u64
    ac_exe_dev: u64
    ac_exe_inode: u64
    wpcopy_count: u64
    wpcopy_delay_total: u64
    irq_count: u64
    irq_delay_total: u64
    cpu_delay_max: u64
    cpu_delay_min: u64
    blkio_delay_max: u64
    blkio_delay_min: u64
    swapin_delay_max: u64
    swapin_delay_min: u64
    freepages_delay_max: u64
    freepages_delay_min: u64
    thrashing_delay_max: u64
    thrashing_delay_min: u64
    compact_delay_max: u64
    compact_delay_min: u64
    wpcopy_delay_max: u64
    wpcopy_delay_min: u64
    irq_delay_max: u64
    irq_delay_min: u64
class tc_setup_type(IntEnum):
    TC_QUERY_CAPS = 0
    TC_SETUP_QDISC_MQPRIO = 1
    TC_SETUP_CLSU32 = 2
    TC_SETUP_CLSFLOWER = 3
    TC_SETUP_CLSMATCHALL = 4
    TC_SETUP_CLSBPF = 5
    TC_SETUP_BLOCK = 6
    TC_SETUP_QDISC_CBS = 7
    TC_SETUP_QDISC_RED = 8
    TC_SETUP_QDISC_PRIO = 9
    TC_SETUP_QDISC_MQ = 10
    TC_SETUP_QDISC_ETF = 11
    TC_SETUP_ROOT_QDISC = 12
    TC_SETUP_QDISC_GRED = 13
    TC_SETUP_QDISC_TAPRIO = 14
    TC_SETUP_FT = 15
    TC_SETUP_QDISC_ETS = 16
    TC_SETUP_QDISC_TBF = 17
    TC_SETUP_QDISC_FIFO = 18
    TC_SETUP_QDISC_HTB = 19
    TC_SETUP_ACT = 20
tcflag_t: TypeAlias = u32
class tcp6_sock(KernelStruct):
    tcp: tcp_sock
    inet6: ipv6_pinfo
class tcp_accecn_option(IntEnum):
    TCP_ACCECN_OPTION_DISABLED = 0
    TCP_ACCECN_OPTION_MINIMUM = 1
    TCP_ACCECN_OPTION_FULL = 2
class tcp_bit_set(IntEnum):
    TCP_SYN_SET = 0
    TCP_SYNACK_SET = 1
    TCP_FIN_SET = 2
    TCP_ACK_SET = 3
    TCP_RST_SET = 4
    TCP_NONE_SET = 5
class tcp_ca_ack_event_flags(IntEnum):
    CA_ACK_SLOWPATH = 1
    CA_ACK_WIN_UPDATE = 2
    CA_ACK_ECE = 4
class tcp_ca_event(IntEnum):
    CA_EVENT_TX_START = 0
    CA_EVENT_CWND_RESTART = 1
    CA_EVENT_COMPLETE_CWR = 2
    CA_EVENT_LOSS = 3
    CA_EVENT_ECN_NO_CE = 4
    CA_EVENT_ECN_IS_CE = 5
class tcp_ca_state(IntEnum):
    TCP_CA_Open = 0
    TCP_CA_Disorder = 1
    TCP_CA_CWR = 2
    TCP_CA_Recovery = 3
    TCP_CA_Loss = 4
class tcp_cc_info(KernelStruct):
    ...
class tcp_chrono(IntEnum):
    TCP_CHRONO_UNSPEC = 0
    TCP_CHRONO_BUSY = 1
    TCP_CHRONO_RWND_LIMITED = 2
    TCP_CHRONO_SNDBUF_LIMITED = 3
    __TCP_CHRONO_MAX = 4
class tcp_congestion_ops(KernelStruct):
    ssthresh: Any
    cong_avoid: Any
    set_state: Any
    cwnd_event: Any
    in_ack_event: Any
    pkts_acked: Any
    min_tso_segs: Any
    cong_control: Any
    undo_cwnd: Any
    sndbuf_expand: Any
    get_info: Any
    name: array[char, Literal[16]]
    owner: module
    list: list_head
    key: u32
    flags: u32
    init: Any
    release: Any
class tcp_conntrack(IntEnum):
    TCP_CONNTRACK_NONE = 0
    TCP_CONNTRACK_SYN_SENT = 1
    TCP_CONNTRACK_SYN_RECV = 2
    TCP_CONNTRACK_ESTABLISHED = 3
    TCP_CONNTRACK_FIN_WAIT = 4
    TCP_CONNTRACK_CLOSE_WAIT = 5
    TCP_CONNTRACK_LAST_ACK = 6
    TCP_CONNTRACK_TIME_WAIT = 7
    TCP_CONNTRACK_CLOSE = 8
    TCP_CONNTRACK_LISTEN = 9
    TCP_CONNTRACK_MAX = 10
    TCP_CONNTRACK_IGNORE = 11
    TCP_CONNTRACK_RETRANS = 12
    TCP_CONNTRACK_UNACK = 13
    TCP_CONNTRACK_TIMEOUT_MAX = 14
class tcp_ecn_mode(IntEnum):
    TCP_ECN_IN_NOECN_OUT_NOECN = 0
    TCP_ECN_IN_ECN_OUT_ECN = 1
    TCP_ECN_IN_ECN_OUT_NOECN = 2
    TCP_ECN_IN_ACCECN_OUT_ACCECN = 3
    TCP_ECN_IN_ACCECN_OUT_ECN = 4
    TCP_ECN_IN_ACCECN_OUT_NOECN = 5
class tcp_fastopen_client_fail(IntEnum):
    TFO_STATUS_UNSPEC = 0
    TFO_COOKIE_UNAVAILABLE = 1
    TFO_DATA_NOT_ACKED = 2
    TFO_SYN_RETRANSMITTED = 3
class tcp_fastopen_context(KernelStruct):
    ...
class tcp_fastopen_cookie(KernelStruct):
    val: array[u64, Literal[2]]
    len: i8
    exp: bool
class tcp_fastopen_request(KernelStruct):
    cookie: tcp_fastopen_cookie
    data: msghdr
    size: u64
    copied: i32
    uarg: ubuf_info
class tcp_iter_state(KernelStruct):
    p: seq_net_private
    state: u32
    syn_wait_sk: sock
    bucket: i32
    offset: i32
    sbucket: i32
    num: i32
    last_pos: i64
class tcp_md5sig_info(KernelStruct):
    head: hlist_head
    rcu: callback_head
class tcp_md5sig_key(KernelStruct):
    ...
class tcp_metric_index(IntEnum):
    TCP_METRIC_RTT = 0
    TCP_METRIC_RTTVAR = 1
    TCP_METRIC_SSTHRESH = 2
    TCP_METRIC_CWND = 3
    TCP_METRIC_REORDERING = 4
    TCP_METRIC_RTT_US = 5
    TCP_METRIC_RTTVAR_US = 6
    __TCP_METRIC_MAX = 7
class tcp_mib(KernelStruct):
    ...
class tcp_options_received(KernelStruct):
    ts_recent_stamp: i32
    ts_recent: u32
    rcv_tsval: u32
    rcv_tsecr: u32
    saw_tstamp: u16
    tstamp_ok: u16
    dsack: u16
    wscale_ok: u16
    sack_ok: u16
    smc_ok: u16
    snd_wscale: u16
    rcv_wscale: u16
    accecn: u8
    saw_unknown: u8
    unused: u8
    num_sacks: u8
    user_mss: u16
    mss_clamp: u16
class tcp_queue(IntEnum):
    TCP_FRAG_IN_WRITE_QUEUE = 0
    TCP_FRAG_IN_RTX_QUEUE = 1
class tcp_rack(KernelStruct):
    mstamp: u64
    rtt_us: u32
    end_seq: u32
    last_delivered: u32
    reo_wnd_steps: u8
    reo_wnd_persist: u8
    dsack_seen: u8
    advanced: u8
class tcp_request_sock(KernelStruct):
    req: inet_request_sock
    af_specific: tcp_request_sock_ops
    snt_synack: u64
    tfo_listener: bool
    is_mptcp: bool
    req_usec_ts: bool
    drop_req: bool
    txhash: u32
    rcv_isn: u32
    snt_isn: u32
    ts_off: u32
    snt_tsval_first: u32
    snt_tsval_last: u32
    last_oow_ack_time: u32
    rcv_nxt: u32
    syn_tos: u8
    accecn_ok: bool
    syn_ect_snt: u8
    syn_ect_rcv: u8
    accecn_fail_mode: u8
    saw_accecn_opt: u8
class tcp_request_sock_ops(KernelStruct):
    ...
class tcp_sack_block(KernelStruct):
    start_seq: u32
    end_seq: u32
class tcp_seq_states(IntEnum):
    TCP_SEQ_STATE_LISTENING = 0
    TCP_SEQ_STATE_ESTABLISHED = 1
class tcp_skb_cb_sacked_flags(IntEnum):
    TCPCB_SACKED_ACKED = 1
    TCPCB_SACKED_RETRANS = 2
    TCPCB_LOST = 4
    TCPCB_TAGBITS = 7
    TCPCB_REPAIRED = 16
    TCPCB_EVER_RETRANS = 128
    TCPCB_RETRANS = 146
class tcp_sock(KernelStruct):
    inet_conn: inet_connection_sock
    __cacheline_group_begin__tcp_sock_read_tx: array[u8, Literal[0]]
    max_window: u32
    rcv_ssthresh: u32
    reordering: u32
    notsent_lowat: u32
    gso_segs: u16
    retransmit_skb_hint: sk_buff
    __cacheline_group_end__tcp_sock_read_tx: array[u8, Literal[0]]
    __cacheline_group_begin__tcp_sock_read_txrx: array[u8, Literal[0]]
    tsoffset: u32
    snd_wnd: u32
    mss_cache: u32
    snd_cwnd: u32
    prr_out: u32
    lost_out: u32
    sacked_out: u32
    tcp_header_len: u16
    scaling_ratio: u8
    repair: u8
    tcp_usec_ts: u8
    is_sack_reneg: u8
    is_cwnd_limited: u8
    recvmsg_inq: u8
    __cacheline_group_end__tcp_sock_read_txrx: array[u8, Literal[0]]
    __cacheline_group_begin__tcp_sock_read_rx: array[u8, Literal[0]]
    copied_seq: u32
    snd_wl1: u32
    tlp_high_seq: u32
    rttvar_us: u32
    retrans_out: u32
    advmss: u16
    urg_data: u16
    lost: u32
    snd_ssthresh: u32
    rtt_min: minmax
    out_of_order_queue: rb_root
    __cacheline_group_end__tcp_sock_read_rx: array[u8, Literal[0]]
    __cacheline_group_begin__tcp_sock_write_tx: array[u8, Literal[0]]
    segs_out: u32
    data_segs_out: u32
    bytes_sent: u64
    snd_sml: u32
    chrono_type: u8
    chrono_start: u32
    chrono_stat: array[u32, Literal[3]]
    write_seq: u32
    pushed_seq: u32
    lsndtime: u32
    mdev_us: u32
    rtt_seq: u32
    tcp_wstamp_ns: u64
    accecn_opt_tstamp: u64
    tsorted_sent_queue: list_head
    highest_sack: sk_buff
    ecn_flags: u8
    __cacheline_group_end__tcp_sock_write_tx: array[u8, Literal[0]]
    __cacheline_group_begin__tcp_sock_write_txrx: array[u8, Literal[0]]
    nonagle: u8
    rate_app_limited: u8
    received_ce_pending: u8
    unused2: u8
    accecn_minlen: u8
    est_ecnfield: u8
    accecn_opt_demand: u8
    prev_ecnfield: u8
    pred_flags: u32
    tcp_clock_cache: u64
    tcp_mstamp: u64
    rcv_nxt: u32
    snd_nxt: u32
    snd_una: u32
    window_clamp: u32
    srtt_us: u32
    packets_out: u32
    snd_up: u32
    delivered: u32
    delivered_ce: u32
    received_ce: u32
    received_ecn_bytes: array[u32, Literal[3]]
    app_limited: u32
    rcv_wnd: u32
    rcv_tstamp: u32
    rx_opt: tcp_options_received
    __cacheline_group_end__tcp_sock_write_txrx: array[u8, Literal[0]]
    __cacheline_group_begin__tcp_sock_write_rx: array[u8, Literal[0]]
    bytes_received: u64
    segs_in: u32
    data_segs_in: u32
    rcv_wup: u32
    max_packets_out: u32
    cwnd_usage_seq: u32
    rate_delivered: u32
    rate_interval_us: u32
    rcv_rtt_last_tsecr: u32
    delivered_ecn_bytes: array[u32, Literal[3]]
    first_tx_mstamp: u64
    delivered_mstamp: u64
    bytes_acked: u64
    class rcv_rtt_est_t(KernelStruct):
        rtt_us: u32
        seq: u32
        time: u64
    rcv_rtt_est: rcv_rtt_est_t
    class rcvq_space_t(KernelStruct):
        space: i32
        seq: u32
        time: u64
    rcvq_space: rcvq_space_t
    __cacheline_group_end__tcp_sock_write_rx: array[u8, Literal[0]]
    dsack_dups: u32
    compressed_ack_rcv_nxt: u32
    tsq_node: list_head
    rack: tcp_rack
    compressed_ack: u8
    dup_ack_counter: u8
    tlp_retrans: u8
    syn_ect_snt: u8
    syn_ect_rcv: u8
    thin_lto: u8
    fastopen_connect: u8
    fastopen_no_cookie: u8
    fastopen_client_fail: u8
    frto: u8
    repair_queue: u8
    save_syn: u8
    syn_data: u8
    syn_fastopen: u8
    syn_fastopen_exp: u8
    syn_fastopen_ch: u8
    syn_data_acked: u8
    syn_fastopen_child: u8
    keepalive_probes: u8
    accecn_fail_mode: u8
    saw_accecn_opt: u8
    tcp_tx_delay: u32
    mdev_max_us: u32
    reord_seen: u32
    snd_cwnd_cnt: u32
    snd_cwnd_clamp: u32
    snd_cwnd_used: u32
    snd_cwnd_stamp: u32
    prior_cwnd: u32
    prr_delivered: u32
    last_oow_ack_time: u32
    pacing_timer: hrtimer
    compressed_ack_timer: hrtimer
    ooo_last_skb: sk_buff
    duplicate_sack: array[tcp_sack_block, Literal[1]]
    selective_acks: array[tcp_sack_block, Literal[4]]
    recv_sack_cache: array[tcp_sack_block, Literal[4]]
    prior_ssthresh: u32
    high_seq: u32
    retrans_stamp: u32
    undo_marker: u32
    undo_retrans: i32
    mtu_info: u32
    bytes_retrans: u64
    total_retrans: u32
    rto_stamp: u32
    total_rto: u16
    total_rto_recoveries: u16
    total_rto_time: u32
    urg_seq: u32
    keepalive_time: u32
    keepalive_intvl: u32
    linger2: i32
    bpf_sock_ops_cb_flags: u8
    bpf_chg_cc_inprogress: u8
    timeout_rehash: u16
    rcv_ooopack: u32
    class mtu_probe_t(KernelStruct):
        probe_seq_start: u32
        probe_seq_end: u32
    mtu_probe: mtu_probe_t
    plb_rehash: u32
    is_mptcp: bool
    af_specific: tcp_sock_af_ops
    md5sig_info: tcp_md5sig_info
    fastopen_req: tcp_fastopen_request
    fastopen_rsk: request_sock
    saved_syn: _v.saved_syn
class tcp_sock_af_ops(KernelStruct):
    ...
class tcp_synack_type(IntEnum):
    TCP_SYNACK_NORMAL = 0
    TCP_SYNACK_FASTOPEN = 1
    TCP_SYNACK_COOKIE = 2
class tcp_timewait_sock(KernelStruct):
    tw_sk: inet_timewait_sock
    tw_rcv_wnd: u32
    tw_ts_offset: u32
    tw_ts_recent: u32
    tw_last_oow_ack_time: u32
    tw_ts_recent_stamp: i32
    tw_tx_delay: u32
    tw_md5_key: tcp_md5sig_key
class tcp_tw_status(IntEnum):
    TCP_TW_SUCCESS = 0
    TCP_TW_RST = 1
    TCP_TW_ACK = 2
    TCP_TW_SYN = 3
    TCP_TW_ACK_OOW = 4
class tcp_ulp_ops(KernelStruct):
    ...
class tcp_word_hdr(KernelStruct):
    hdr: tcphdr
    words: array[u32, Literal[5]]
class tcphdr(KernelStruct):
    source: u16
    dest: u16
    seq: u32
    ack_seq: u32
    ae: u16
    res1: u16
    doff: u16
    fin: u16
    syn: u16
    rst: u16
    psh: u16
    ack: u16
    urg: u16
    ece: u16
    cwr: u16
    window: u16
    check: u16
    urg_ptr: u16
class thermal_zone_device(KernelStruct):
    ...
class thread_group_cputimer(KernelStruct):
    cputime_atomic: task_cputime_atomic
class thread_info(KernelStruct):
    flags: u64
    syscall_work: u64
    status: u32
    cpu: u32
class thread_struct(KernelStruct):
    tls_array: array[desc_struct, Literal[3]]
    sp: u64
    es: u16
    ds: u16
    fsindex: u16
    gsindex: u16
    fsbase: u64
    gsbase: u64
    ptrace_bps: array[perf_event, Literal[4]]
    virtual_dr6: u64
    ptrace_dr7: u64
    cr2: u64
    trap_nr: u64
    error_code: u64
    io_bitmap: _v.io_bitmap
    iopl_emul: u64
    iopl_warn: u32
    pkru: u32
class throtl_data(KernelStruct):
    service_queue: throtl_service_queue
    queue: request_queue
    nr_queued: array[u32, Literal[2]]
    throtl_slice: u32
    dispatch_work: work_struct
    track_bio_latency: bool
class throtl_service_queue(KernelStruct):
    parent_sq: throtl_service_queue
    queued: array[list_head, Literal[2]]
    nr_queued_bps: array[u32, Literal[2]]
    nr_queued_iops: array[u32, Literal[2]]
    pending_tree: rb_root_cached
    nr_pending: u32
    first_pending_disptime: u64
    pending_timer: timer_list
tid_t: TypeAlias = u32
time64_t: TypeAlias = i64
class time_namespace(KernelStruct):
    user_ns: user_namespace
    ucounts: _v.ucounts
    ns: ns_common
    offsets: timens_offsets
    vvar_page: page
    frozen_offsets: bool
class timens_offsets(KernelStruct):
    monotonic: timespec64
    boottime: timespec64
class timer_list(KernelStruct):
    entry: hlist_node
    expires: u64
    function: Any
    flags: u32
class timer_rand_state(KernelStruct):
    last_time: u64
    last_delta: i64
    last_delta2: i64
class timerqueue_head(KernelStruct):
    rb_root: rb_root_cached
class timerqueue_node(KernelStruct):
    node: rb_node
    expires: i64
class timespec64(KernelStruct):
    tv_sec: i64
    tv_nsec: i64
class timespec_type(IntEnum):
    TT_NONE = 0
    TT_NATIVE = 1
    TT_COMPAT = 2
class timewait_sock_ops(KernelStruct):
    ...
class timezone(KernelStruct):
    ...
class tlbflush_unmap_batch(KernelStruct):
    arch: arch_tlbflush_unmap_batch
    flush_required: bool
    writable: bool
class tnum(KernelStruct):
    value: u64
    mask: u64
class tpacket_kbdq_core(KernelStruct):
    pkbdq: pgv
    feature_req_word: u32
    hdrlen: u32
    reset_pending_on_curr_blk: u8
    kactive_blk_num: u16
    blk_sizeof_priv: u16
    version: u16
    pkblk_start: ptr[u8]
    pkblk_end: ptr[u8]
    kblk_size: i32
    max_frame_len: u32
    knum_blocks: u32
    knxt_seq_num: u64
    prev: ptr[u8]
    nxt_offset: ptr[u8]
    skb: sk_buff
    blk_fill_in_prog_lock: rwlock_t
    interval_ktime: i64
    retire_blk_timer: hrtimer
class tpacket_stats(KernelStruct):
    tp_packets: u32
    tp_drops: u32
class tpacket_stats_u(KernelStruct):
    stats1: tpacket_stats
    stats3: tpacket_stats_v3
class tpacket_stats_v3(KernelStruct):
    tp_packets: u32
    tp_drops: u32
    tp_freeze_q_cnt: u32
class tpacket_versions(IntEnum):
    TPACKET_V1 = 0
    TPACKET_V2 = 1
    TPACKET_V3 = 2
class trace_entry(KernelStruct):
    type: u16
    flags: u8
    preempt_count: u8
    pid: i32
class trace_eval_map(KernelStruct):
    ...
class trace_event(KernelStruct):
    node: hlist_node
    type: i32
    funcs: trace_event_functions
class trace_event_call(KernelStruct):
    list: list_head
    class_: trace_event_class
    name: ptr[u8]
    tp: tracepoint
    event: trace_event
    print_fmt: ptr[u8]
    module: Any
    refcnt: atomic_t
    data: Any
    flags: i32
    perf_refcount: i32
    perf_events: hlist_head
    prog_array: bpf_prog_array
    perf_perm: Any
class trace_event_class(KernelStruct):
    ...
class trace_event_functions(KernelStruct):
    ...
class trace_event_raw_block_bio(KernelStruct):
    ent: trace_entry
    dev: u32
    sector: u64
    nr_sector: u32
    rwbs: array[char, Literal[10]]
    comm: array[char, Literal[16]]
    __data: array[char, Literal[0]]
class trace_event_raw_block_bio_complete(KernelStruct):
    ent: trace_entry
    dev: u32
    sector: u64
    nr_sector: u32
    error: i32
    rwbs: array[char, Literal[10]]
    __data: array[char, Literal[0]]
class trace_event_raw_block_bio_remap(KernelStruct):
    ent: trace_entry
    dev: u32
    sector: u64
    nr_sector: u32
    old_dev: u32
    old_sector: u64
    rwbs: array[char, Literal[10]]
    __data: array[char, Literal[0]]
class trace_event_raw_block_buffer(KernelStruct):
    ent: trace_entry
    dev: u32
    sector: u64
    size: u64
    __data: array[char, Literal[0]]
class trace_event_raw_block_plug(KernelStruct):
    ent: trace_entry
    comm: array[char, Literal[16]]
    __data: array[char, Literal[0]]
class trace_event_raw_block_rq(KernelStruct):
    ent: trace_entry
    dev: u32
    sector: u64
    nr_sector: u32
    bytes: u32
    ioprio: u16
    rwbs: array[char, Literal[10]]
    comm: array[char, Literal[16]]
    __data_loc_cmd: u32
    __data: array[char, Literal[0]]
class trace_event_raw_block_rq_completion(KernelStruct):
    ent: trace_entry
    dev: u32
    sector: u64
    nr_sector: u32
    error: i32
    ioprio: u16
    rwbs: array[char, Literal[10]]
    __data_loc_cmd: u32
    __data: array[char, Literal[0]]
class trace_event_raw_block_rq_remap(KernelStruct):
    ent: trace_entry
    dev: u32
    sector: u64
    nr_sector: u32
    old_dev: u32
    old_sector: u64
    nr_bios: u32
    rwbs: array[char, Literal[10]]
    __data: array[char, Literal[0]]
class trace_event_raw_block_rq_requeue(KernelStruct):
    ent: trace_entry
    dev: u32
    sector: u64
    nr_sector: u32
    ioprio: u16
    rwbs: array[char, Literal[10]]
    __data_loc_cmd: u32
    __data: array[char, Literal[0]]
class trace_event_raw_block_split(KernelStruct):
    ent: trace_entry
    dev: u32
    sector: u64
    new_sector: u64
    rwbs: array[char, Literal[10]]
    comm: array[char, Literal[16]]
    __data: array[char, Literal[0]]
class trace_event_raw_block_unplug(KernelStruct):
    ent: trace_entry
    nr_rq: i32
    comm: array[char, Literal[16]]
    __data: array[char, Literal[0]]
class trace_event_raw_block_zwplug(KernelStruct):
    ent: trace_entry
    dev: u32
    zno: u32
    sector: u64
    nr_sectors: u32
    __data: array[char, Literal[0]]
class trace_event_raw_bpf_test_finish(KernelStruct):
    ent: trace_entry
    err: i32
    __data: array[char, Literal[0]]
class trace_event_raw_bpf_trace_printk(KernelStruct):
    ent: trace_entry
    __data_loc_bpf_string: u32
    __data: array[char, Literal[0]]
class trace_event_raw_bpf_trigger_tp(KernelStruct):
    ent: trace_entry
    nonce: i32
    __data: array[char, Literal[0]]
class trace_event_raw_bpf_xdp_link_attach_failed(KernelStruct):
    ent: trace_entry
    __data_loc_msg: u32
    __data: array[char, Literal[0]]
class trace_event_raw_cgroup(KernelStruct):
    ent: trace_entry
    root: i32
    level: i32
    id: u64
    __data_loc_path: u32
    __data: array[char, Literal[0]]
class trace_event_raw_cgroup_event(KernelStruct):
    ent: trace_entry
    root: i32
    level: i32
    id: u64
    __data_loc_path: u32
    val: i32
    __data: array[char, Literal[0]]
class trace_event_raw_cgroup_migrate(KernelStruct):
    ent: trace_entry
    dst_root: i32
    dst_level: i32
    dst_id: u64
    pid: i32
    __data_loc_dst_path: u32
    __data_loc_comm: u32
    __data: array[char, Literal[0]]
class trace_event_raw_cgroup_root(KernelStruct):
    ent: trace_entry
    root: i32
    ss_mask: u16
    __data_loc_name: u32
    __data: array[char, Literal[0]]
class trace_event_raw_cgroup_rstat(KernelStruct):
    ent: trace_entry
    root: i32
    level: i32
    id: u64
    cpu: i32
    contended: bool
    __data: array[char, Literal[0]]
class trace_event_raw_consume_skb(KernelStruct):
    ent: trace_entry
    skbaddr: Any
    location: Any
    __data: array[char, Literal[0]]
class trace_event_raw_cpu(KernelStruct):
    ent: trace_entry
    state: u32
    cpu_id: u32
    __data: array[char, Literal[0]]
class trace_event_raw_cpu_frequency_limits(KernelStruct):
    ent: trace_entry
    min_freq: u32
    max_freq: u32
    cpu_id: u32
    __data: array[char, Literal[0]]
class trace_event_raw_cpu_idle_miss(KernelStruct):
    ent: trace_entry
    cpu_id: u32
    state: u32
    below: bool
    __data: array[char, Literal[0]]
class trace_event_raw_cpu_latency_qos_request(KernelStruct):
    ent: trace_entry
    value: i32
    __data: array[char, Literal[0]]
class trace_event_raw_cpuhp_enter(KernelStruct):
    ent: trace_entry
    cpu: u32
    target: i32
    idx: i32
    fun: Any
    __data: array[char, Literal[0]]
class trace_event_raw_cpuhp_exit(KernelStruct):
    ent: trace_entry
    cpu: u32
    state: i32
    idx: i32
    ret: i32
    __data: array[char, Literal[0]]
class trace_event_raw_cpuhp_multi_enter(KernelStruct):
    ent: trace_entry
    cpu: u32
    target: i32
    idx: i32
    fun: Any
    __data: array[char, Literal[0]]
class trace_event_raw_exceptions(KernelStruct):
    ent: trace_entry
    address: u64
    ip: u64
    error_code: u64
    __data: array[char, Literal[0]]
class trace_event_raw_exit_mmap(KernelStruct):
    ent: trace_entry
    mm: mm_struct
    mt: maple_tree
    __data: array[char, Literal[0]]
class trace_event_raw_ext4_sync_file_enter(KernelStruct):
    ent: trace_entry
    dev: u32
    ino: u64
    parent: u64
    datasync: i32
    __data: array[char, Literal[0]]
class trace_event_raw_ext4_sync_file_exit(KernelStruct):
    ent: trace_entry
    dev: u32
    ino: u64
    ret: i32
    __data: array[char, Literal[0]]
class trace_event_raw_ext4_sync_fs(KernelStruct):
    ent: trace_entry
    dev: u32
    wait: i32
    __data: array[char, Literal[0]]
class trace_event_raw_hrtimer_class(KernelStruct):
    ent: trace_entry
    hrtimer: Any
    __data: array[char, Literal[0]]
class trace_event_raw_hrtimer_expire_entry(KernelStruct):
    ent: trace_entry
    hrtimer: Any
    now: i64
    function: Any
    __data: array[char, Literal[0]]
class trace_event_raw_hrtimer_setup(KernelStruct):
    ent: trace_entry
    hrtimer: Any
    clockid: i32
    mode: u32
    __data: array[char, Literal[0]]
class trace_event_raw_hrtimer_start(KernelStruct):
    ent: trace_entry
    hrtimer: Any
    function: Any
    expires: i64
    softexpires: i64
    mode: u32
    was_armed: bool
    __data: array[char, Literal[0]]
class trace_event_raw_inet_sk_error_report(KernelStruct):
    ent: trace_entry
    error: i32
    sport: u16
    dport: u16
    family: u16
    protocol: u16
    saddr: array[u8, Literal[4]]
    daddr: array[u8, Literal[4]]
    saddr_v6: array[u8, Literal[16]]
    daddr_v6: array[u8, Literal[16]]
    __data: array[char, Literal[0]]
class trace_event_raw_inet_sock_set_state(KernelStruct):
    ent: trace_entry
    skaddr: Any
    oldstate: i32
    newstate: i32
    sport: u16
    dport: u16
    family: u16
    protocol: u16
    saddr: array[u8, Literal[4]]
    daddr: array[u8, Literal[4]]
    saddr_v6: array[u8, Literal[16]]
    daddr_v6: array[u8, Literal[16]]
    __data: array[char, Literal[0]]
class trace_event_raw_irq_handler_entry(KernelStruct):
    ent: trace_entry
    irq: i32
    __data_loc_name: u32
    __data: array[char, Literal[0]]
class trace_event_raw_irq_handler_exit(KernelStruct):
    ent: trace_entry
    irq: i32
    ret: i32
    __data: array[char, Literal[0]]
class trace_event_raw_irq_matrix_cpu(KernelStruct):
    ent: trace_entry
    bit: i32
    cpu: u32
    online: bool
    available: u32
    allocated: u32
    managed: u32
    online_maps: u32
    global_available: u32
    global_reserved: u32
    total_allocated: u32
    __data: array[char, Literal[0]]
class trace_event_raw_irq_matrix_global(KernelStruct):
    ent: trace_entry
    online_maps: u32
    global_available: u32
    global_reserved: u32
    total_allocated: u32
    __data: array[char, Literal[0]]
class trace_event_raw_irq_matrix_global_update(KernelStruct):
    ent: trace_entry
    bit: i32
    online_maps: u32
    global_available: u32
    global_reserved: u32
    total_allocated: u32
    __data: array[char, Literal[0]]
class trace_event_raw_kfree(KernelStruct):
    ent: trace_entry
    call_site: u64
    ptr: Any
    __data: array[char, Literal[0]]
class trace_event_raw_kfree_skb(KernelStruct):
    ent: trace_entry
    skbaddr: Any
    location: Any
    rx_sk: Any
    protocol: u16
    reason: u32
    __data: array[char, Literal[0]]
class trace_event_raw_kmalloc(KernelStruct):
    ent: trace_entry
    call_site: u64
    ptr: Any
    bytes_req: u64
    bytes_alloc: u64
    gfp_flags: u64
    node: i32
    __data: array[char, Literal[0]]
class trace_event_raw_kmem_cache_alloc(KernelStruct):
    ent: trace_entry
    call_site: u64
    ptr: Any
    __data_loc_name: u32
    bytes_req: u64
    bytes_alloc: u64
    gfp_flags: u64
    node: i32
    accounted: bool
    __data: array[char, Literal[0]]
class trace_event_raw_kmem_cache_free(KernelStruct):
    ent: trace_entry
    call_site: u64
    ptr: Any
    __data_loc_name: u32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_calculate_totalreserve_pages(KernelStruct):
    ent: trace_entry
    totalreserve_pages: u64
    __data: array[char, Literal[0]]
class trace_event_raw_mm_collapse_huge_page(KernelStruct):
    ent: trace_entry
    mm: mm_struct
    isolated: i32
    status: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_collapse_huge_page_isolate(KernelStruct):
    ent: trace_entry
    pfn: u64
    none_or_zero: i32
    referenced: i32
    status: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_collapse_huge_page_swapin(KernelStruct):
    ent: trace_entry
    mm: mm_struct
    swapped_in: i32
    referenced: i32
    ret: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_compaction_begin(KernelStruct):
    ent: trace_entry
    zone_start: u64
    migrate_pfn: u64
    free_pfn: u64
    zone_end: u64
    sync: bool
    __data: array[char, Literal[0]]
class trace_event_raw_mm_compaction_defer_template(KernelStruct):
    ent: trace_entry
    nid: i32
    idx: u32
    order: i32
    considered: u32
    defer_shift: u32
    order_failed: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_compaction_end(KernelStruct):
    ent: trace_entry
    zone_start: u64
    migrate_pfn: u64
    free_pfn: u64
    zone_end: u64
    sync: bool
    status: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_compaction_isolate_template(KernelStruct):
    ent: trace_entry
    start_pfn: u64
    end_pfn: u64
    nr_scanned: u64
    nr_taken: u64
    __data: array[char, Literal[0]]
class trace_event_raw_mm_compaction_kcompactd_sleep(KernelStruct):
    ent: trace_entry
    nid: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_compaction_migratepages(KernelStruct):
    ent: trace_entry
    nr_migrated: u64
    nr_failed: u64
    __data: array[char, Literal[0]]
class trace_event_raw_mm_compaction_suitable_template(KernelStruct):
    ent: trace_entry
    nid: i32
    idx: u32
    order: i32
    ret: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_compaction_try_to_compact_pages(KernelStruct):
    ent: trace_entry
    order: i32
    gfp_mask: u64
    prio: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_filemap_fault(KernelStruct):
    ent: trace_entry
    i_ino: u64
    s_dev: u32
    index: u64
    __data: array[char, Literal[0]]
class trace_event_raw_mm_filemap_op_page_cache(KernelStruct):
    ent: trace_entry
    pfn: u64
    i_ino: u64
    index: u64
    s_dev: u32
    order: u8
    __data: array[char, Literal[0]]
class trace_event_raw_mm_filemap_op_page_cache_range(KernelStruct):
    ent: trace_entry
    i_ino: u64
    s_dev: u32
    index: u64
    last_index: u64
    __data: array[char, Literal[0]]
class trace_event_raw_mm_khugepaged_collapse_file(KernelStruct):
    ent: trace_entry
    mm: mm_struct
    hpfn: u64
    index: u64
    addr: u64
    is_shmem: bool
    __data_loc_filename: u32
    nr: i32
    result: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_khugepaged_scan_file(KernelStruct):
    ent: trace_entry
    mm: mm_struct
    pfn: u64
    __data_loc_filename: u32
    present: i32
    swap: i32
    result: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_khugepaged_scan_pmd(KernelStruct):
    ent: trace_entry
    mm: mm_struct
    pfn: u64
    referenced: i32
    none_or_zero: i32
    status: i32
    unmapped: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_lru_activate(KernelStruct):
    ent: trace_entry
    folio: _v.folio
    pfn: u64
    __data: array[char, Literal[0]]
class trace_event_raw_mm_lru_insertion(KernelStruct):
    ent: trace_entry
    folio: _v.folio
    pfn: u64
    lru: u32
    flags: u64
    __data: array[char, Literal[0]]
class trace_event_raw_mm_migrate_pages(KernelStruct):
    ent: trace_entry
    succeeded: u64
    failed: u64
    thp_succeeded: u64
    thp_failed: u64
    thp_split: u64
    large_folio_split: u64
    mode: u32
    reason: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_migrate_pages_start(KernelStruct):
    ent: trace_entry
    mode: u32
    reason: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_page(KernelStruct):
    ent: trace_entry
    pfn: u64
    order: u32
    migratetype: i32
    percpu_refill: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_page_alloc(KernelStruct):
    ent: trace_entry
    pfn: u64
    order: u32
    gfp_flags: u64
    migratetype: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_page_alloc_extfrag(KernelStruct):
    ent: trace_entry
    pfn: u64
    alloc_order: i32
    fallback_order: i32
    alloc_migratetype: i32
    fallback_migratetype: i32
    change_ownership: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_page_free(KernelStruct):
    ent: trace_entry
    pfn: u64
    order: u32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_page_free_batched(KernelStruct):
    ent: trace_entry
    pfn: u64
    __data: array[char, Literal[0]]
class trace_event_raw_mm_page_pcpu_drain(KernelStruct):
    ent: trace_entry
    pfn: u64
    order: u32
    migratetype: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_setup_per_zone_lowmem_reserve(KernelStruct):
    ent: trace_entry
    node_id: i32
    __data_loc_name: u32
    __data_loc_upper_name: u32
    lowmem_reserve: i64
    __data: array[char, Literal[0]]
class trace_event_raw_mm_setup_per_zone_wmarks(KernelStruct):
    ent: trace_entry
    node_id: i32
    __data_loc_name: u32
    watermark_min: u64
    watermark_low: u64
    watermark_high: u64
    watermark_promo: u64
    __data: array[char, Literal[0]]
class trace_event_raw_mm_shrink_slab_end(KernelStruct):
    ent: trace_entry
    shr: shrinker
    nid: i32
    shrink: Any
    unused_scan: i64
    new_scan: i64
    retval: i32
    total_scan: i64
    __data: array[char, Literal[0]]
class trace_event_raw_mm_shrink_slab_start(KernelStruct):
    ent: trace_entry
    shr: shrinker
    shrink: Any
    nid: i32
    nr_objects_to_shrink: i64
    gfp_flags: u64
    cache_items: u64
    delta: u64
    total_scan: u64
    priority: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_vmscan_direct_reclaim_begin_template(KernelStruct):
    ent: trace_entry
    order: i32
    gfp_flags: u64
    __data: array[char, Literal[0]]
class trace_event_raw_mm_vmscan_direct_reclaim_end_template(KernelStruct):
    ent: trace_entry
    nr_reclaimed: u64
    __data: array[char, Literal[0]]
class trace_event_raw_mm_vmscan_kswapd_sleep(KernelStruct):
    ent: trace_entry
    nid: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_vmscan_kswapd_wake(KernelStruct):
    ent: trace_entry
    nid: i32
    zid: i32
    order: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_vmscan_lru_isolate(KernelStruct):
    ent: trace_entry
    highest_zoneidx: i32
    order: i32
    nr_requested: u64
    nr_scanned: u64
    nr_skipped: u64
    nr_taken: u64
    lru: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_vmscan_lru_shrink_active(KernelStruct):
    ent: trace_entry
    nid: i32
    nr_taken: u64
    nr_active: u64
    nr_deactivated: u64
    nr_referenced: u64
    priority: i32
    reclaim_flags: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_vmscan_lru_shrink_inactive(KernelStruct):
    ent: trace_entry
    nid: i32
    nr_scanned: u64
    nr_reclaimed: u64
    nr_dirty: u64
    nr_writeback: u64
    nr_congested: u64
    nr_immediate: u64
    nr_activate0: u32
    nr_activate1: u32
    nr_ref_keep: u64
    nr_unmap_fail: u64
    priority: i32
    reclaim_flags: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_vmscan_node_reclaim_begin(KernelStruct):
    ent: trace_entry
    nid: i32
    order: i32
    gfp_flags: u64
    __data: array[char, Literal[0]]
class trace_event_raw_mm_vmscan_reclaim_pages(KernelStruct):
    ent: trace_entry
    nid: i32
    nr_scanned: u64
    nr_reclaimed: u64
    nr_dirty: u64
    nr_writeback: u64
    nr_congested: u64
    nr_immediate: u64
    nr_activate0: u32
    nr_activate1: u32
    nr_ref_keep: u64
    nr_unmap_fail: u64
    __data: array[char, Literal[0]]
class trace_event_raw_mm_vmscan_throttled(KernelStruct):
    ent: trace_entry
    nid: i32
    usec_timeout: i32
    usec_delayed: i32
    reason: i32
    __data: array[char, Literal[0]]
class trace_event_raw_mm_vmscan_wakeup_kswapd(KernelStruct):
    ent: trace_entry
    nid: i32
    zid: i32
    order: i32
    gfp_flags: u64
    __data: array[char, Literal[0]]
class trace_event_raw_mm_vmscan_write_folio(KernelStruct):
    ent: trace_entry
    pfn: u64
    reclaim_flags: i32
    __data: array[char, Literal[0]]
class trace_event_raw_napi_poll(KernelStruct):
    ent: trace_entry
    napi: napi_struct
    __data_loc_dev_name: u32
    work: i32
    budget: i32
    __data: array[char, Literal[0]]
class trace_event_raw_net_dev_rx_exit_template(KernelStruct):
    ent: trace_entry
    ret: i32
    __data: array[char, Literal[0]]
class trace_event_raw_net_dev_rx_verbose_template(KernelStruct):
    ent: trace_entry
    __data_loc_name: u32
    napi_id: u32
    queue_mapping: u16
    skbaddr: Any
    vlan_tagged: bool
    vlan_proto: u16
    vlan_tci: u16
    protocol: u16
    ip_summed: u8
    hash: u32
    l4_hash: bool
    len: u32
    data_len: u32
    truesize: u32
    mac_header_valid: bool
    mac_header: i32
    nr_frags: u8
    gso_size: u16
    gso_type: u16
    __data: array[char, Literal[0]]
class trace_event_raw_net_dev_start_xmit(KernelStruct):
    ent: trace_entry
    __data_loc_name: u32
    queue_mapping: u16
    skbaddr: Any
    vlan_tagged: bool
    vlan_proto: u16
    vlan_tci: u16
    protocol: u16
    ip_summed: u8
    len: u32
    data_len: u32
    network_offset: i32
    transport_offset_valid: bool
    transport_offset: i32
    tx_flags: u8
    gso_size: u16
    gso_segs: u16
    gso_type: u16
    __data: array[char, Literal[0]]
class trace_event_raw_net_dev_template(KernelStruct):
    ent: trace_entry
    skbaddr: Any
    len: u32
    __data_loc_name: u32
    __data: array[char, Literal[0]]
class trace_event_raw_net_dev_xmit(KernelStruct):
    ent: trace_entry
    skbaddr: Any
    len: u32
    rc: i32
    __data_loc_name: u32
    __data: array[char, Literal[0]]
class trace_event_raw_net_dev_xmit_timeout(KernelStruct):
    ent: trace_entry
    __data_loc_name: u32
    __data_loc_driver: u32
    queue_index: i32
    __data: array[char, Literal[0]]
class trace_event_raw_oom_score_adj_update(KernelStruct):
    ent: trace_entry
    pid: i32
    comm: array[char, Literal[16]]
    oom_score_adj: i16
    __data: array[char, Literal[0]]
class trace_event_raw_percpu_alloc_percpu(KernelStruct):
    ent: trace_entry
    call_site: u64
    reserved: bool
    is_atomic: bool
    size: u64
    align: u64
    base_addr: Any
    off: i32
    ptr: Any
    bytes_alloc: u64
    gfp_flags: u64
    __data: array[char, Literal[0]]
class trace_event_raw_percpu_alloc_percpu_fail(KernelStruct):
    ent: trace_entry
    reserved: bool
    is_atomic: bool
    size: u64
    align: u64
    __data: array[char, Literal[0]]
class trace_event_raw_percpu_create_chunk(KernelStruct):
    ent: trace_entry
    base_addr: Any
    __data: array[char, Literal[0]]
class trace_event_raw_percpu_destroy_chunk(KernelStruct):
    ent: trace_entry
    base_addr: Any
    __data: array[char, Literal[0]]
class trace_event_raw_percpu_free_percpu(KernelStruct):
    ent: trace_entry
    base_addr: Any
    off: i32
    ptr: Any
    __data: array[char, Literal[0]]
class trace_event_raw_rcu_stall_warning(KernelStruct):
    ent: trace_entry
    rcuname: ptr[u8]
    msg: ptr[u8]
    __data: array[char, Literal[0]]
class trace_event_raw_rcu_utilization(KernelStruct):
    ent: trace_entry
    s: ptr[u8]
    __data: array[char, Literal[0]]
class trace_event_raw_sched_kthread_stop(KernelStruct):
    ent: trace_entry
    __data_loc_comm: u32
    pid: i32
    __data: array[char, Literal[0]]
class trace_event_raw_sched_kthread_stop_ret(KernelStruct):
    ent: trace_entry
    ret: i32
    __data: array[char, Literal[0]]
class trace_event_raw_sched_kthread_work_execute_end(KernelStruct):
    ent: trace_entry
    work: Any
    function: Any
    __data: array[char, Literal[0]]
class trace_event_raw_sched_kthread_work_execute_start(KernelStruct):
    ent: trace_entry
    work: Any
    function: Any
    __data: array[char, Literal[0]]
class trace_event_raw_sched_kthread_work_queue_work(KernelStruct):
    ent: trace_entry
    work: Any
    function: Any
    worker: Any
    __data: array[char, Literal[0]]
class trace_event_raw_sched_migrate_task(KernelStruct):
    ent: trace_entry
    __data_loc_comm: u32
    pid: i32
    prio: i32
    orig_cpu: i32
    dest_cpu: i32
    __data: array[char, Literal[0]]
class trace_event_raw_sched_move_numa(KernelStruct):
    ent: trace_entry
    pid: i32
    tgid: i32
    ngid: i32
    src_cpu: i32
    src_nid: i32
    dst_cpu: i32
    dst_nid: i32
    __data: array[char, Literal[0]]
class trace_event_raw_sched_numa_pair_template(KernelStruct):
    ent: trace_entry
    src_pid: i32
    src_tgid: i32
    src_ngid: i32
    src_cpu: i32
    src_nid: i32
    dst_pid: i32
    dst_tgid: i32
    dst_ngid: i32
    dst_cpu: i32
    dst_nid: i32
    __data: array[char, Literal[0]]
class trace_event_raw_sched_pi_setprio(KernelStruct):
    ent: trace_entry
    __data_loc_comm: u32
    pid: i32
    oldprio: i32
    newprio: i32
    __data: array[char, Literal[0]]
class trace_event_raw_sched_prepare_exec(KernelStruct):
    ent: trace_entry
    __data_loc_interp: u32
    __data_loc_filename: u32
    pid: i32
    __data_loc_comm: u32
    __data: array[char, Literal[0]]
class trace_event_raw_sched_process_exec(KernelStruct):
    ent: trace_entry
    __data_loc_filename: u32
    pid: i32
    old_pid: i32
    __data: array[char, Literal[0]]
class trace_event_raw_sched_process_exit(KernelStruct):
    ent: trace_entry
    comm: array[char, Literal[16]]
    pid: i32
    prio: i32
    group_dead: bool
    __data: array[char, Literal[0]]
class trace_event_raw_sched_process_fork(KernelStruct):
    ent: trace_entry
    __data_loc_parent_comm: u32
    parent_pid: i32
    __data_loc_child_comm: u32
    child_pid: i32
    __data: array[char, Literal[0]]
class trace_event_raw_sched_process_hang(KernelStruct):
    ent: trace_entry
    __data_loc_comm: u32
    pid: i32
    __data: array[char, Literal[0]]
class trace_event_raw_sched_process_template(KernelStruct):
    ent: trace_entry
    __data_loc_comm: u32
    pid: i32
    prio: i32
    __data: array[char, Literal[0]]
class trace_event_raw_sched_process_wait(KernelStruct):
    ent: trace_entry
    __data_loc_comm: u32
    pid: i32
    prio: i32
    __data: array[char, Literal[0]]
class trace_event_raw_sched_skip_cpuset_numa(KernelStruct):
    ent: trace_entry
    comm: array[char, Literal[16]]
    pid: i32
    tgid: i32
    ngid: i32
    mem_allowed: array[u64, Literal[16]]
    __data: array[char, Literal[0]]
class trace_event_raw_sched_skip_vma_numa(KernelStruct):
    ent: trace_entry
    numa_scan_offset: u64
    vm_start: u64
    vm_end: u64
    reason: u32
    __data: array[char, Literal[0]]
class trace_event_raw_sched_stat_runtime(KernelStruct):
    ent: trace_entry
    __data_loc_comm: u32
    pid: i32
    runtime: u64
    __data: array[char, Literal[0]]
class trace_event_raw_sched_switch(KernelStruct):
    ent: trace_entry
    prev_comm: array[char, Literal[16]]
    prev_pid: i32
    prev_prio: i32
    prev_state: i64
    next_comm: array[char, Literal[16]]
    next_pid: i32
    next_prio: i32
    __data: array[char, Literal[0]]
class trace_event_raw_sched_wake_idle_without_ipi(KernelStruct):
    ent: trace_entry
    cpu: i32
    __data: array[char, Literal[0]]
class trace_event_raw_sched_wakeup_template(KernelStruct):
    ent: trace_entry
    comm: array[char, Literal[16]]
    pid: i32
    prio: i32
    target_cpu: i32
    __data: array[char, Literal[0]]
class trace_event_raw_signal_deliver(KernelStruct):
    ent: trace_entry
    sig: i32
    errno: i32
    code: i32
    sa_handler: u64
    sa_flags: u64
    __data: array[char, Literal[0]]
class trace_event_raw_signal_generate(KernelStruct):
    ent: trace_entry
    sig: i32
    errno: i32
    code: i32
    comm: array[char, Literal[16]]
    pid: i32
    group: i32
    result: i32
    __data: array[char, Literal[0]]
class trace_event_raw_sock_exceed_buf_limit(KernelStruct):
    ent: trace_entry
    name: array[char, Literal[32]]
    sysctl_mem: array[i64, Literal[3]]
    allocated: i64
    sysctl_rmem: i32
    rmem_alloc: i32
    sysctl_wmem: i32
    wmem_alloc: i32
    wmem_queued: i32
    kind: i32
    __data: array[char, Literal[0]]
class trace_event_raw_sock_msg_length(KernelStruct):
    ent: trace_entry
    sk: Any
    family: u16
    protocol: u16
    ret: i32
    flags: i32
    __data: array[char, Literal[0]]
class trace_event_raw_sock_rcvqueue_full(KernelStruct):
    ent: trace_entry
    rmem_alloc: i32
    truesize: u32
    sk_rcvbuf: i32
    __data: array[char, Literal[0]]
class trace_event_raw_softirq(KernelStruct):
    ent: trace_entry
    vec: u32
    __data: array[char, Literal[0]]
class trace_event_raw_sys_enter(KernelStruct):
    ent: trace_entry
    id: i64
    args: array[u64, Literal[6]]
    __data: array[char, Literal[0]]
class trace_event_raw_sys_exit(KernelStruct):
    ent: trace_entry
    id: i64
    ret: i64
    __data: array[char, Literal[0]]
class trace_event_raw_task_newtask(KernelStruct):
    ent: trace_entry
    pid: i32
    comm: array[char, Literal[16]]
    clone_flags: u64
    oom_score_adj: i16
    __data: array[char, Literal[0]]
class trace_event_raw_task_prctl_unknown(KernelStruct):
    ent: trace_entry
    option: i32
    arg2: u64
    arg3: u64
    arg4: u64
    arg5: u64
    __data: array[char, Literal[0]]
class trace_event_raw_task_rename(KernelStruct):
    ent: trace_entry
    pid: i32
    oldcomm: array[char, Literal[16]]
    newcomm: array[char, Literal[16]]
    oom_score_adj: i16
    __data: array[char, Literal[0]]
class trace_event_raw_tcp_ao_event(KernelStruct):
    ent: trace_entry
    net_cookie: u64
    skbaddr: Any
    skaddr: Any
    state: i32
    saddr: array[u8, Literal[28]]
    daddr: array[u8, Literal[28]]
    l3index: i32
    sport: u16
    dport: u16
    family: u16
    fin: bool
    syn: bool
    rst: bool
    psh: bool
    ack: bool
    keyid: u8
    rnext: u8
    maclen: u8
    __data: array[char, Literal[0]]
class trace_event_raw_tcp_cong_state_set(KernelStruct):
    ent: trace_entry
    skaddr: Any
    sport: u16
    dport: u16
    family: u16
    saddr: array[u8, Literal[4]]
    daddr: array[u8, Literal[4]]
    saddr_v6: array[u8, Literal[16]]
    daddr_v6: array[u8, Literal[16]]
    cong_state: u8
    __data: array[char, Literal[0]]
class trace_event_raw_tcp_event_sk(KernelStruct):
    ent: trace_entry
    skaddr: Any
    sport: u16
    dport: u16
    family: u16
    saddr: array[u8, Literal[4]]
    daddr: array[u8, Literal[4]]
    saddr_v6: array[u8, Literal[16]]
    daddr_v6: array[u8, Literal[16]]
    sock_cookie: u64
    __data: array[char, Literal[0]]
class trace_event_raw_tcp_event_skb(KernelStruct):
    ent: trace_entry
    skbaddr: Any
    saddr: array[u8, Literal[28]]
    daddr: array[u8, Literal[28]]
    __data: array[char, Literal[0]]
class trace_event_raw_tcp_hash_event(KernelStruct):
    ent: trace_entry
    net_cookie: u64
    skbaddr: Any
    skaddr: Any
    state: i32
    saddr: array[u8, Literal[28]]
    daddr: array[u8, Literal[28]]
    l3index: i32
    sport: u16
    dport: u16
    family: u16
    fin: bool
    syn: bool
    rst: bool
    psh: bool
    ack: bool
    __data: array[char, Literal[0]]
class trace_event_raw_tcp_probe(KernelStruct):
    ent: trace_entry
    saddr: array[u8, Literal[28]]
    daddr: array[u8, Literal[28]]
    sport: u16
    dport: u16
    family: u16
    mark: u32
    data_len: u16
    snd_nxt: u32
    snd_una: u32
    snd_cwnd: u32
    ssthresh: u32
    snd_wnd: u32
    srtt: u32
    rcv_wnd: u32
    sock_cookie: u64
    skbaddr: Any
    skaddr: Any
    __data: array[char, Literal[0]]
class trace_event_raw_tcp_rcvbuf_grow(KernelStruct):
    ent: trace_entry
    time: i32
    rtt_us: u32
    copied: u32
    inq: u32
    space: u32
    ooo_space: u32
    rcvbuf: u32
    rcv_ssthresh: u32
    window_clamp: u32
    rcv_wnd: u32
    scaling_ratio: u8
    sport: u16
    dport: u16
    family: u16
    saddr: array[u8, Literal[4]]
    daddr: array[u8, Literal[4]]
    saddr_v6: array[u8, Literal[16]]
    daddr_v6: array[u8, Literal[16]]
    skaddr: Any
    sock_cookie: u64
    __data: array[char, Literal[0]]
class trace_event_raw_tcp_retransmit_skb(KernelStruct):
    ent: trace_entry
    skbaddr: Any
    skaddr: Any
    state: i32
    sport: u16
    dport: u16
    family: u16
    saddr: array[u8, Literal[4]]
    daddr: array[u8, Literal[4]]
    saddr_v6: array[u8, Literal[16]]
    daddr_v6: array[u8, Literal[16]]
    err: i32
    __data: array[char, Literal[0]]
class trace_event_raw_tcp_retransmit_synack(KernelStruct):
    ent: trace_entry
    skaddr: Any
    req: Any
    sport: u16
    dport: u16
    family: u16
    saddr: array[u8, Literal[4]]
    daddr: array[u8, Literal[4]]
    saddr_v6: array[u8, Literal[16]]
    daddr_v6: array[u8, Literal[16]]
    __data: array[char, Literal[0]]
class trace_event_raw_tcp_send_reset(KernelStruct):
    ent: trace_entry
    skbaddr: Any
    skaddr: Any
    state: i32
    reason: u32
    saddr: array[u8, Literal[28]]
    daddr: array[u8, Literal[28]]
    __data: array[char, Literal[0]]
class trace_event_raw_tcp_sendmsg_locked(KernelStruct):
    ent: trace_entry
    skb_addr: Any
    skb_len: i32
    msg_left: i32
    size_goal: i32
    __data: array[char, Literal[0]]
class trace_event_raw_timer_base_idle(KernelStruct):
    ent: trace_entry
    is_idle: bool
    cpu: u32
    __data: array[char, Literal[0]]
class trace_event_raw_timer_class(KernelStruct):
    ent: trace_entry
    timer: Any
    __data: array[char, Literal[0]]
class trace_event_raw_timer_expire_entry(KernelStruct):
    ent: trace_entry
    timer: Any
    now: u64
    function: Any
    baseclk: u64
    __data: array[char, Literal[0]]
class trace_event_raw_timer_start(KernelStruct):
    ent: trace_entry
    timer: Any
    function: Any
    expires: u64
    bucket_expiry: u64
    now: u64
    flags: u32
    __data: array[char, Literal[0]]
class trace_event_raw_workqueue_activate_work(KernelStruct):
    ent: trace_entry
    work: Any
    function: Any
    __data: array[char, Literal[0]]
class trace_event_raw_workqueue_execute_end(KernelStruct):
    ent: trace_entry
    work: Any
    function: Any
    __data: array[char, Literal[0]]
class trace_event_raw_workqueue_execute_start(KernelStruct):
    ent: trace_entry
    work: Any
    function: Any
    __data: array[char, Literal[0]]
class trace_event_raw_workqueue_queue_work(KernelStruct):
    ent: trace_entry
    work: Any
    function: Any
    __data_loc_workqueue: u32
    req_cpu: i32
    cpu: i32
    __data: array[char, Literal[0]]
class trace_event_raw_writeback_bdi_register(KernelStruct):
    ent: trace_entry
    name: array[char, Literal[32]]
    __data: array[char, Literal[0]]
class trace_event_raw_writeback_class(KernelStruct):
    ent: trace_entry
    name: array[char, Literal[32]]
    cgroup_ino: u64
    __data: array[char, Literal[0]]
class trace_event_raw_writeback_dirty_inode_template(KernelStruct):
    ent: trace_entry
    name: array[char, Literal[32]]
    ino: u64
    state: u64
    flags: u64
    __data: array[char, Literal[0]]
class trace_event_raw_writeback_folio_template(KernelStruct):
    ent: trace_entry
    name: array[char, Literal[32]]
    ino: u64
    index: u64
    __data: array[char, Literal[0]]
class trace_event_raw_writeback_inode_template(KernelStruct):
    ent: trace_entry
    dev: u32
    ino: u64
    state: u64
    mode: u16
    dirtied_when: u64
    __data: array[char, Literal[0]]
class trace_event_raw_writeback_pages_written(KernelStruct):
    ent: trace_entry
    pages: i64
    __data: array[char, Literal[0]]
class trace_event_raw_writeback_queue_io(KernelStruct):
    ent: trace_entry
    name: array[char, Literal[32]]
    older: u64
    age: i64
    moved: i32
    reason: i32
    cgroup_ino: u64
    __data: array[char, Literal[0]]
class trace_event_raw_writeback_sb_inodes_requeue(KernelStruct):
    ent: trace_entry
    name: array[char, Literal[32]]
    ino: u64
    state: u64
    dirtied_when: u64
    cgroup_ino: u64
    __data: array[char, Literal[0]]
class trace_event_raw_writeback_single_inode_template(KernelStruct):
    ent: trace_entry
    name: array[char, Literal[32]]
    ino: u64
    state: u64
    dirtied_when: u64
    writeback_index: u64
    nr_to_write: i64
    wrote: u64
    cgroup_ino: u64
    __data: array[char, Literal[0]]
class trace_event_raw_writeback_work_class(KernelStruct):
    ent: trace_entry
    name: array[char, Literal[32]]
    nr_pages: i64
    sb_dev: u32
    sync_mode: i32
    for_kupdate: i32
    range_cyclic: i32
    for_background: i32
    reason: i32
    cgroup_ino: u64
    __data: array[char, Literal[0]]
class trace_event_raw_writeback_write_inode_template(KernelStruct):
    ent: trace_entry
    name: array[char, Literal[32]]
    ino: u64
    sync_mode: i32
    cgroup_ino: u64
    __data: array[char, Literal[0]]
class trace_event_raw_xdp_bulk_tx(KernelStruct):
    ent: trace_entry
    ifindex: i32
    act: u32
    drops: i32
    sent: i32
    err: i32
    __data: array[char, Literal[0]]
class trace_event_raw_xdp_cpumap_enqueue(KernelStruct):
    ent: trace_entry
    map_id: i32
    act: u32
    cpu: i32
    drops: u32
    processed: u32
    to_cpu: i32
    __data: array[char, Literal[0]]
class trace_event_raw_xdp_cpumap_kthread(KernelStruct):
    ent: trace_entry
    map_id: i32
    act: u32
    cpu: i32
    drops: u32
    processed: u32
    sched: i32
    xdp_pass: u32
    xdp_drop: u32
    xdp_redirect: u32
    __data: array[char, Literal[0]]
class trace_event_raw_xdp_devmap_xmit(KernelStruct):
    ent: trace_entry
    from_ifindex: i32
    act: u32
    to_ifindex: i32
    drops: i32
    sent: i32
    err: i32
    __data: array[char, Literal[0]]
class trace_event_raw_xdp_exception(KernelStruct):
    ent: trace_entry
    prog_id: i32
    act: u32
    ifindex: i32
    __data: array[char, Literal[0]]
class trace_event_raw_xdp_redirect_template(KernelStruct):
    ent: trace_entry
    prog_id: i32
    act: u32
    ifindex: i32
    err: i32
    to_ifindex: i32
    map_id: u32
    map_index: i32
    __data: array[char, Literal[0]]
class tracepoint(KernelStruct):
    ...
tracepoint_ptr_t: TypeAlias = i32
class tty_audit_buf(KernelStruct):
    mutex: _v.mutex
    dev: u32
    icanon: bool
    valid: u64
    data: ptr[u8]
class tty_driver(KernelStruct):
    ...
class tty_ldisc(KernelStruct):
    ...
class tty_operations(KernelStruct):
    ...
class tty_port(KernelStruct):
    ...
class tty_struct(KernelStruct):
    kref: _v.kref
    index: i32
    dev: device
    driver: tty_driver
    port: tty_port
    ops: tty_operations
    ldisc: tty_ldisc
    ldisc_sem: ld_semaphore
    atomic_write_lock: mutex
    legacy_mutex: mutex
    throttle_mutex: mutex
    termios_rwsem: rw_semaphore
    winsize_mutex: mutex
    termios: ktermios
    termios_locked: ktermios
    name: array[char, Literal[64]]
    flags: u64
    count: i32
    receive_room: u32
    winsize: _v.winsize
    class flow_t(KernelStruct):
        lock: spinlock
        stopped: bool
        tco_stopped: bool
    flow: flow_t
    class ctrl_t(KernelStruct):
        pgrp: pid
        session: pid
        lock: spinlock
        pktstatus: u8
        packet: bool
    ctrl: ctrl_t
    hw_stopped: bool
    closing: bool
    flow_change: i32
    link: tty_struct
    fasync: fasync_struct
    write_wait: wait_queue_head
    read_wait: wait_queue_head
    hangup_work: work_struct
    disc_data: Any
    driver_data: Any
    files_lock: spinlock
    write_cnt: i32
    write_buf: ptr[u8]
    tty_files: list_head
    SAK_work: work_struct
class u64_stats_sync(KernelStruct):
    ...
class u64_stats_t(KernelStruct):
    v: local64_t
u_int16_t: TypeAlias = u16
u_int32_t: TypeAlias = u32
u_int8_t: TypeAlias = u8
class ubuf_info(KernelStruct):
    ...
class ucounts(KernelStruct):
    node: hlist_nulls_node
    ns: user_namespace
    uid: kuid_t
    rcu: callback_head
    count: rcuref_t
    ucount: array[atomic_long_t, Literal[12]]
    rlimit: array[atomic_long_t, Literal[4]]
class udp6_sock(KernelStruct):
    udp: udp_sock
    inet6: ipv6_pinfo
class udp_iter_state(KernelStruct):
    p: seq_net_private
    bucket: i32
class udp_mib(KernelStruct):
    ...
class udp_prod_queue(KernelStruct):
    ...
class udp_sock(KernelStruct):
    inet: inet_sock
    udp_flags: u64
    pending: i32
    encap_type: u8
    udp_lrpa_hash: u16
    udp_lrpa_node: hlist_nulls_node
    len: u16
    gso_size: u16
    pcslen: u16
    pcrlen: u16
    encap_rcv: Any
    encap_err_rcv: Any
    encap_err_lookup: Any
    encap_destroy: Any
    gro_receive: Any
    gro_complete: Any
    udp_prod_queue: _v.udp_prod_queue
    reader_queue: sk_buff_head
    forward_deficit: i32
    forward_threshold: i32
    peeking_with_offset: bool
    tunnel_list: hlist_node
    drop_counters: numa_drop_counters
class udp_table(KernelStruct):
    ...
class udp_tunnel_gro(KernelStruct):
    sk: sock
    list: hlist_head
class udp_tunnel_info(KernelStruct):
    ...
class udp_tunnel_nic(KernelStruct):
    work: delayed_work
    dev: net_device
    lock: mutex
    need_sync: u8
    need_replay: u8
    n_tables: u32
    missed: u64
    entries: array[udp_tunnel_nic_table_entry, Literal[0]]
class udp_tunnel_nic_info(KernelStruct):
    set_port: Any
    unset_port: Any
    sync_table: Any
    shared: udp_tunnel_nic_shared
    flags: u32
    tables: array[udp_tunnel_nic_table_info, Literal[4]]
class udp_tunnel_nic_shared(KernelStruct):
    ...
class udp_tunnel_nic_table_entry(KernelStruct):
    ...
class udp_tunnel_nic_table_info(KernelStruct):
    n_entries: u32
    tunnel_types: u32
class udphdr(KernelStruct):
    source: u16
    dest: u16
    len: u16
    check: u16
class uevent_sock(KernelStruct):
    list: list_head
    sk: sock
class uid_gid_extent(KernelStruct):
    first: u32
    lower_first: u32
    count: u32
class uid_gid_map(KernelStruct):
    extent: array[uid_gid_extent, Literal[5]]
    nr_extents: u32
    forward: uid_gid_extent
    reverse: uid_gid_extent
uid_t: TypeAlias = u32
class uint128_t(KernelStruct):
    m_low: u64
    m_high: u64
uint16_t: TypeAlias = u16
uint32_t: TypeAlias = u32
uint64_t: TypeAlias = u64
uint8_t: TypeAlias = u8
uintptr_t: TypeAlias = u64
umode_t: TypeAlias = u16
class uncached_list(KernelStruct):
    ...
class unix_address(KernelStruct):
    refcnt: refcount_struct
    len: i32
    name: array[sockaddr_un, Literal[0]]
class unix_sock(KernelStruct):
    sk: sock
    addr: unix_address
    path: _v.path
    iolock: mutex
    bindlock: mutex
    peer: sock
    listener: sock
    vertex: unix_vertex
    lock: spinlock
    peer_wq: socket_wq
    peer_wake: wait_queue_entry
    scm_stat: _v.scm_stat
    inq_len: i32
    recvmsg_inq: bool
    oob_skb: sk_buff
class unix_table(KernelStruct):
    locks: spinlock
    buckets: hlist_head
class unix_vertex(KernelStruct):
    edges: list_head
    entry: list_head
    scc_entry: list_head
    out_degree: u64
    index: u64
    scc_index: u64
class unwind_cache(KernelStruct):
    unwind_completed: u64
    nr_entries: u32
    entries: array[u64, Literal[0]]
class unwind_task_id(KernelStruct):
    cpu: u32
    cnt: u32
    id: u64
class unwind_task_info(KernelStruct):
    unwind_mask: u64
    cache: unwind_cache
    work: callback_head
    id: unwind_task_id
class upid(KernelStruct):
    nr: i32
    ns: pid_namespace
class uprobe(KernelStruct):
    ...
class uprobe_consumer(KernelStruct):
    handler: Any
    ret_handler: Any
    filter: Any
    cons_node: list_head
    id: u64
class uprobe_task(KernelStruct):
    state: u32
    depth: u32
    return_instances: return_instance
    ri_pool: return_instance
    ri_timer: timer_list
    ri_seqcount: seqcount
    autask: arch_uprobe_task
    vaddr: u64
    dup_xol_work: callback_head
    dup_xol_addr: u64
    active_uprobe: uprobe
    xol_vaddr: u64
    signal_denied: bool
    auprobe: arch_uprobe
class uprobe_task_state(IntEnum):
    UTASK_RUNNING = 0
    UTASK_SSTEP = 1
    UTASK_SSTEP_ACK = 2
    UTASK_SSTEP_TRAPPED = 3
class uprobes_state(KernelStruct):
    xol_area: _v.xol_area
    head_tramps: hlist_head
class user_namespace(KernelStruct):
    uid_map: uid_gid_map
    gid_map: uid_gid_map
    projid_map: uid_gid_map
    parent: user_namespace
    level: i32
    owner: kuid_t
    group: kgid_t
    ns: ns_common
    flags: u64
    parent_could_setfcap: bool
    keyring_name_list: list_head
    user_keyring_register: key
    keyring_sem: rw_semaphore
    persistent_keyring_register: key
    work: work_struct
    set: ctl_table_set
    sysctls: ctl_table_header
    ucounts: _v.ucounts
    ucount_max: array[i64, Literal[12]]
    rlimit_max: array[i64, Literal[4]]
    binfmt_misc: _v.binfmt_misc
class user_struct(KernelStruct):
    __count: refcount_struct
    epoll_watches: percpu_counter
    unix_inflight: u64
    pipe_bufs: atomic_long_t
    uidhash_node: hlist_node
    uid: kuid_t
    locked_vm: atomic_long_t
    ratelimit: ratelimit_state
class userfaultfd_ctx(KernelStruct):
    fault_pending_wqh: wait_queue_head
    fault_wqh: wait_queue_head
    fd_wqh: wait_queue_head
    event_wqh: wait_queue_head
    refile_seq: seqcount_spinlock
    refcount: refcount_struct
    flags: u32
    features: u32
    released: bool
    map_changing_lock: rw_semaphore
    mmap_changing: atomic_t
    mm: mm_struct
class uts_namespace(KernelStruct):
    name: new_utsname
    user_ns: user_namespace
    ucounts: _v.ucounts
    ns: ns_common
class uuid_t(KernelStruct):
    b: array[u8, Literal[16]]
class vdso_image(KernelStruct):
    data: Any
    size: u64
    alt: u64
    alt_len: u64
    extable_base: u64
    extable_len: u64
    extable: Any
    sym___kernel_sigreturn: i64
    sym___kernel_rt_sigreturn: i64
    sym___kernel_vsyscall: i64
    sym_int80_landing_pad: i64
    sym_vdso32_sigreturn_landing_pad: i64
    sym_vdso32_rt_sigreturn_landing_pad: i64
class vfsgid_t(KernelStruct):
    val: u32
class vfsmount(KernelStruct):
    mnt_root: dentry
    mnt_sb: super_block
    mnt_flags: i32
    mnt_idmap: _v.mnt_idmap
class vfsuid_t(KernelStruct):
    val: u32
class vlan_ethhdr(KernelStruct):
    h_dest: array[u8, Literal[6]]
    h_source: array[u8, Literal[6]]
    class addrs_t(KernelStruct):
        h_dest: array[u8, Literal[6]]
        h_source: array[u8, Literal[6]]
    addrs: addrs_t
    h_vlan_proto: u16
    h_vlan_TCI: u16
    h_vlan_encapsulated_proto: u16
class vlan_hdr(KernelStruct):
    h_vlan_TCI: u16
    h_vlan_encapsulated_proto: u16
class vm_area_struct(KernelStruct):
    vm_start: u64
    vm_end: u64
    vm_freeptr: freeptr_t
    vm_mm: mm_struct
    vm_page_prot: pgprot
    vm_flags: u64
    __vm_flags: u64
    vm_lock_seq: u32
    anon_vma_chain: list_head
    anon_vma: _v.anon_vma
    vm_ops: vm_operations_struct
    vm_pgoff: u64
    vm_file: file
    vm_private_data: Any
    swap_readahead_info: atomic_long_t
    vm_policy: mempolicy
    numab_state: vma_numab_state
    vm_refcnt: refcount_struct
    class shared_t(KernelStruct):
        rb: rb_node
        rb_subtree_last: u64
    shared: shared_t
    vm_userfaultfd_ctx: _v.vm_userfaultfd_ctx
    pfnmap_track_ctx: _v.pfnmap_track_ctx
class vm_fault(KernelStruct):
    ...
vm_fault_t: TypeAlias = u32
vm_flags_t: TypeAlias = u64
class vm_operations_struct(KernelStruct):
    open: Any
    close: Any
    may_split: Any
    mremap: Any
    mprotect: Any
    fault: Any
    huge_fault: Any
    map_pages: Any
    pagesize: Any
    page_mkwrite: Any
    pfn_mkwrite: Any
    access: Any
    name: Any
    set_policy: Any
    get_policy: Any
class vm_struct(KernelStruct):
    next: vm_struct
    addr: Any
    size: u64
    flags: u64
    pages: Any
    page_order: u32
    nr_pages: u32
    phys_addr: u64
    caller: Any
    requested_size: u64
class vm_userfaultfd_ctx(KernelStruct):
    ctx: userfaultfd_ctx
class vma_numab_state(KernelStruct):
    next_scan: u64
    pids_active_reset: u64
    pids_active: array[u64, Literal[2]]
    start_scan_seq: i32
    prev_scan_seq: i32
class vmem_altmap(KernelStruct):
    base_pfn: u64
    end_pfn: u64
    reserve: u64
    free: u64
    align: u64
    alloc: u64
    inaccessible: bool
class vmpressure(KernelStruct):
    scanned: u64
    reclaimed: u64
    tree_scanned: u64
    tree_reclaimed: u64
    sr_lock: spinlock
    events: list_head
    events_lock: mutex
    work: work_struct
class vxlan_metadata(KernelStruct):
    gbp: u32
class wait_page_queue(KernelStruct):
    folio: _v.folio
    bit_nr: i32
    wait: wait_queue_entry
class wait_queue_entry(KernelStruct):
    flags: u32
    private: Any
    func: Any
    entry: list_head
wait_queue_entry_t: TypeAlias = wait_queue_entry
class wait_queue_head(KernelStruct):
    lock: spinlock
    head: list_head
wait_queue_head_t: TypeAlias = wait_queue_head
class wake_irq(KernelStruct):
    ...
class wake_q_node(KernelStruct):
    next: wake_q_node
class wb_completion(KernelStruct):
    cnt: atomic_t
    waitq: wait_queue_head
class wb_domain(KernelStruct):
    lock: spinlock
    completions: fprop_global
    period_timer: timer_list
    period_time: u64
    dirty_limit_tstamp: u64
    dirty_limit: u64
class wb_reason(IntEnum):
    WB_REASON_BACKGROUND = 0
    WB_REASON_VMSCAN = 1
    WB_REASON_SYNC = 2
    WB_REASON_PERIODIC = 3
    WB_REASON_LAPTOP_TIMER = 4
    WB_REASON_FS_FREE_SPACE = 5
    WB_REASON_FORKER_THREAD = 6
    WB_REASON_FOREIGN_FLUSH = 7
    WB_REASON_MAX = 8
class winsize(KernelStruct):
    ws_row: u16
    ws_col: u16
    ws_xpixel: u16
    ws_ypixel: u16
class work_struct(KernelStruct):
    data: atomic_long_t
    entry: list_head
    func: Any
class worker(KernelStruct):
    entry: list_head
    hentry: hlist_node
    current_work: work_struct
    current_func: Any
    current_pwq: pool_workqueue
    current_at: u64
    current_color: u32
    sleeping: i32
    last_func: Any
    scheduled: list_head
    task: task_struct
    pool: worker_pool
    node: list_head
    last_active: u64
    flags: u32
    id: i32
    desc: array[char, Literal[32]]
    rescue_wq: workqueue_struct
class worker_pool(KernelStruct):
    ...
class workqueue_attrs(KernelStruct):
    nice: i32
    cpumask: array[_v.cpumask, Literal[1]]
    __pod_cpumask: array[_v.cpumask, Literal[1]]
    affn_strict: bool
    affn_scope: u32
    ordered: bool
class workqueue_struct(KernelStruct):
    pwqs: list_head
    list: list_head
    mutex: _v.mutex
    work_color: i32
    flush_color: i32
    nr_pwqs_to_flush: atomic_t
    first_flusher: wq_flusher
    flusher_queue: list_head
    flusher_overflow: list_head
    maydays: list_head
    rescuer: worker
    nr_drainers: i32
    max_active: i32
    min_active: i32
    saved_max_active: i32
    saved_min_active: i32
    unbound_attrs: workqueue_attrs
    dfl_pwq: pool_workqueue
    wq_dev: wq_device
    name: array[char, Literal[32]]
    rcu: callback_head
    flags: u32
    cpu_pwq: Any
    node_nr_active: array[wq_node_nr_active, Literal[0]]
class wq_affn_scope(IntEnum):
    WQ_AFFN_DFL = 0
    WQ_AFFN_CPU = 1
    WQ_AFFN_SMT = 2
    WQ_AFFN_CACHE = 3
    WQ_AFFN_NUMA = 4
    WQ_AFFN_SYSTEM = 5
    WQ_AFFN_NR_TYPES = 6
class wq_device(KernelStruct):
    wq: workqueue_struct
    dev: device
class wq_flusher(KernelStruct):
    list: list_head
    flush_color: i32
    done: completion
class wq_node_nr_active(KernelStruct):
    max: i32
    nr: atomic_t
    lock: raw_spinlock
    pending_pwqs: list_head
class ww_acquire_ctx(KernelStruct):
    ...
class x86_msi_addr_hi(KernelStruct):
    reserved: u32
    destid_8_31: u32
class x86_msi_addr_lo(KernelStruct):
    reserved_0: u32
    dest_mode_logical: u32
    redirect_hint: u32
    reserved_1: u32
    virt_destid_8_14: u32
    destid_0_7: u32
    base_address: u32
    dmar_reserved_0: u32
    dmar_index_15: u32
    dmar_subhandle_valid: u32
    dmar_format: u32
    dmar_index_0_14: u32
    dmar_base_address: u32
class x86_msi_data(KernelStruct):
    vector: u32
    delivery_mode: u32
    dest_mode_logical: u32
    reserved: u32
    active_low: u32
    is_level: u32
    dmar_subhandle: u32
class xarray(KernelStruct):
    xa_lock: spinlock
    xa_flags: u32
    xa_head: Any
class xattr(KernelStruct):
    ...
class xattr_handler(KernelStruct):
    ...
class xdp_action(IntEnum):
    XDP_ABORTED = 0
    XDP_DROP = 1
    XDP_PASS = 2
    XDP_TX = 3
    XDP_REDIRECT = 4
class xdp_buff(KernelStruct):
    data: Any
    data_end: Any
    data_meta: Any
    data_hard_start: Any
    rxq: xdp_rxq_info
    txq: xdp_txq_info
    frame_sz: u32
    flags: u32
    frame_sz_flags_init: u64
class xdp_buff_flags(IntEnum):
    XDP_FLAGS_HAS_FRAGS = 1
    XDP_FLAGS_FRAGS_PF_MEMALLOC = 2
    XDP_FLAGS_FRAGS_UNREADABLE = 4
class xdp_bulk_queue(KernelStruct):
    ...
class xdp_cpumap_stats(KernelStruct):
    ...
class xdp_dev_bulk_queue(KernelStruct):
    q: array[xdp_frame, Literal[16]]
    flush_node: list_head
    dev: net_device
    dev_rx: net_device
    xdp_prog: bpf_prog
    count: u32
    bq_lock: local_lock_t
xdp_features_t: TypeAlias = u32
class xdp_frame(KernelStruct):
    data: Any
    len: u32
    headroom: u32
    metasize: u32
    mem_type: u32
    dev_rx: net_device
    frame_sz: u32
    flags: u32
class xdp_md(KernelStruct):
    data: u32
    data_end: u32
    data_meta: u32
    ingress_ifindex: u32
    rx_queue_index: u32
    egress_ifindex: u32
class xdp_mem_info(KernelStruct):
    type: u32
    id: u32
class xdp_mem_type(IntEnum):
    MEM_TYPE_PAGE_SHARED = 0
    MEM_TYPE_PAGE_ORDER0 = 1
    MEM_TYPE_PAGE_POOL = 2
    MEM_TYPE_XSK_BUFF_POOL = 3
    MEM_TYPE_MAX = 4
class xdp_metadata_ops(KernelStruct):
    ...
class xdp_rss_hash_type(IntEnum):
    XDP_RSS_L3_IPV4 = 1
    XDP_RSS_L3_IPV6 = 2
    XDP_RSS_L3_DYNHDR = 4
    XDP_RSS_L4 = 8
    XDP_RSS_L4_TCP = 16
    XDP_RSS_L4_UDP = 32
    XDP_RSS_L4_SCTP = 64
    XDP_RSS_L4_IPSEC = 128
    XDP_RSS_L4_ICMP = 256
    XDP_RSS_TYPE_NONE = 0
    XDP_RSS_TYPE_L2 = 0
    XDP_RSS_TYPE_L3_IPV4 = 1
    XDP_RSS_TYPE_L3_IPV6 = 2
    XDP_RSS_TYPE_L3_IPV4_OPT = 5
    XDP_RSS_TYPE_L3_IPV6_EX = 6
    XDP_RSS_TYPE_L4_ANY = 8
    XDP_RSS_TYPE_L4_IPV4_TCP = 25
    XDP_RSS_TYPE_L4_IPV4_UDP = 41
    XDP_RSS_TYPE_L4_IPV4_SCTP = 73
    XDP_RSS_TYPE_L4_IPV4_IPSEC = 137
    XDP_RSS_TYPE_L4_IPV4_ICMP = 265
    XDP_RSS_TYPE_L4_IPV6_TCP = 26
    XDP_RSS_TYPE_L4_IPV6_UDP = 42
    XDP_RSS_TYPE_L4_IPV6_SCTP = 74
    XDP_RSS_TYPE_L4_IPV6_IPSEC = 138
    XDP_RSS_TYPE_L4_IPV6_ICMP = 266
    XDP_RSS_TYPE_L4_IPV6_TCP_EX = 30
    XDP_RSS_TYPE_L4_IPV6_UDP_EX = 46
    XDP_RSS_TYPE_L4_IPV6_SCTP_EX = 78
class xdp_rx_metadata(IntEnum):
    XDP_METADATA_KFUNC_RX_TIMESTAMP = 0
    XDP_METADATA_KFUNC_RX_HASH = 1
    XDP_METADATA_KFUNC_RX_VLAN_TAG = 2
    MAX_XDP_METADATA_KFUNC = 3
class xdp_rxq_info(KernelStruct):
    dev: net_device
    queue_index: u32
    reg_state: u32
    mem: xdp_mem_info
    frag_size: u32
class xdp_sock(KernelStruct):
    ...
class xdp_txq_info(KernelStruct):
    dev: net_device
class xfrm_address_filter(KernelStruct):
    ...
class xfrm_address_t(KernelStruct):
    a4: u32
    a6: array[u32, Literal[4]]
    in6: in6_addr
class xfrm_algo(KernelStruct):
    ...
class xfrm_algo_aead(KernelStruct):
    ...
class xfrm_algo_auth(KernelStruct):
    ...
class xfrm_dev_offload(KernelStruct):
    dev: net_device
    dev_tracker: netdevice_tracker
    real_dev: net_device
    offload_handle: u64
    dir: u8
    type: u8
    flags: u8
class xfrm_encap_tmpl(KernelStruct):
    ...
class xfrm_id(KernelStruct):
    daddr: xfrm_address_t
    spi: u32
    proto: u8
class xfrm_lifetime_cfg(KernelStruct):
    soft_byte_limit: u64
    hard_byte_limit: u64
    soft_packet_limit: u64
    hard_packet_limit: u64
    soft_add_expires_seconds: u64
    hard_add_expires_seconds: u64
    soft_use_expires_seconds: u64
    hard_use_expires_seconds: u64
class xfrm_lifetime_cur(KernelStruct):
    bytes: u64
    packets: u64
    add_time: u64
    use_time: u64
class xfrm_mark(KernelStruct):
    v: u32
    m: u32
class xfrm_mode(KernelStruct):
    encap: u8
    family: u8
    flags: u8
class xfrm_mode_cbs(KernelStruct):
    ...
class xfrm_policy(KernelStruct):
    xp_net: possible_net_t
    bydst: hlist_node
    byidx: hlist_node
    state_cache_list: hlist_head
    lock: rwlock_t
    refcnt: refcount_struct
    pos: u32
    timer: timer_list
    genid: atomic_t
    priority: u32
    index: u32
    if_id: u32
    mark: xfrm_mark
    selector: xfrm_selector
    lft: xfrm_lifetime_cfg
    curlft: xfrm_lifetime_cur
    walk: xfrm_policy_walk_entry
    polq: xfrm_policy_queue
    bydst_reinsert: bool
    type: u8
    action: u8
    flags: u8
    xfrm_nr: u8
    family: u16
    security: xfrm_sec_ctx
    xfrm_vec: array[xfrm_tmpl, Literal[6]]
    rcu: callback_head
    xdo: xfrm_dev_offload
class xfrm_policy_hash(KernelStruct):
    table: hlist_head
    hmask: u32
    dbits4: u8
    sbits4: u8
    dbits6: u8
    sbits6: u8
class xfrm_policy_hthresh(KernelStruct):
    work: work_struct
    lock: seqlock_t
    lbits4: u8
    rbits4: u8
    lbits6: u8
    rbits6: u8
class xfrm_policy_queue(KernelStruct):
    hold_queue: sk_buff_head
    hold_timer: timer_list
    timeout: u64
class xfrm_policy_walk_entry(KernelStruct):
    all: list_head
    dead: u8
class xfrm_replay_mode(IntEnum):
    XFRM_REPLAY_MODE_LEGACY = 0
    XFRM_REPLAY_MODE_BMP = 1
    XFRM_REPLAY_MODE_ESN = 2
class xfrm_replay_state(KernelStruct):
    oseq: u32
    seq: u32
    bitmap: u32
class xfrm_replay_state_esn(KernelStruct):
    ...
class xfrm_sec_ctx(KernelStruct):
    ...
class xfrm_selector(KernelStruct):
    daddr: xfrm_address_t
    saddr: xfrm_address_t
    dport: u16
    dport_mask: u16
    sport: u16
    sport_mask: u16
    family: u16
    prefixlen_d: u8
    prefixlen_s: u8
    proto: u8
    ifindex: i32
    user: u32
class xfrm_state(KernelStruct):
    xs_net: possible_net_t
    gclist: hlist_node
    bydst: hlist_node
    dev_gclist: hlist_node
    bysrc: hlist_node
    byspi: hlist_node
    byseq: hlist_node
    state_cache: hlist_node
    state_cache_input: hlist_node
    refcnt: refcount_struct
    lock: spinlock
    pcpu_num: u32
    id: xfrm_id
    sel: xfrm_selector
    mark: xfrm_mark
    if_id: u32
    tfcpad: u32
    genid: u32
    km: xfrm_state_walk
    class props_t(KernelStruct):
        reqid: u32
        mode: u8
        replay_window: u8
        aalgo: u8
        ealgo: u8
        calgo: u8
        flags: u8
        family: u16
        saddr: xfrm_address_t
        header_len: i32
        enc_hdr_len: i32
        trailer_len: i32
        extra_flags: u32
        smark: xfrm_mark
    props: props_t
    lft: xfrm_lifetime_cfg
    aalg: xfrm_algo_auth
    ealg: xfrm_algo
    calg: xfrm_algo
    aead: xfrm_algo_aead
    geniv: ptr[u8]
    new_mapping_sport: u16
    new_mapping: u32
    mapping_maxage: u32
    encap: xfrm_encap_tmpl
    nat_keepalive_interval: u32
    nat_keepalive_expiration: i64
    coaddr: xfrm_address_t
    tunnel: xfrm_state
    tunnel_users: atomic_t
    replay: xfrm_replay_state
    replay_esn: xfrm_replay_state_esn
    preplay: xfrm_replay_state
    preplay_esn: xfrm_replay_state_esn
    repl_mode: u32
    xflags: u32
    replay_maxage: u32
    replay_maxdiff: u32
    rtimer: timer_list
    stats: xfrm_stats
    curlft: xfrm_lifetime_cur
    mtimer: hrtimer
    xso: xfrm_dev_offload
    saved_tmo: i64
    lastused: i64
    xfrag: page_frag
    type: xfrm_type
    inner_mode: xfrm_mode
    inner_mode_iaf: xfrm_mode
    outer_mode: xfrm_mode
    type_offload: xfrm_type_offload
    security: xfrm_sec_ctx
    data: Any
    dir: u8
    mode_cbs: xfrm_mode_cbs
    mode_data: Any
class xfrm_state_walk(KernelStruct):
    all: list_head
    state: u8
    dying: u8
    proto: u8
    seq: u32
    filter: xfrm_address_filter
class xfrm_stats(KernelStruct):
    replay_window: u32
    replay: u32
    integrity_failed: u32
class xfrm_tmpl(KernelStruct):
    id: xfrm_id
    saddr: xfrm_address_t
    encap_family: u16
    reqid: u32
    mode: u8
    share: u8
    optional: u8
    allalgs: u8
    aalgos: u32
    ealgos: u32
    calgos: u32
class xfrm_type(KernelStruct):
    ...
class xfrm_type_offload(KernelStruct):
    ...
class xfrm_user_sec_ctx(KernelStruct):
    ...
xfs_dqid_t: TypeAlias = u32
class xfs_fid(KernelStruct):
    ...
xfs_fid_t: TypeAlias = xfs_fid
class xfs_fsid(KernelStruct):
    ...
xfs_fsid_t: TypeAlias = xfs_fsid
xfs_fsize_t: TypeAlias = i64
xfs_ufsize_t: TypeAlias = u64
xlog_tid_t: TypeAlias = u32
class xol_area(KernelStruct):
    ...
class xps_dev_maps(KernelStruct):
    rcu: callback_head
    nr_ids: u32
    num_tc: i16
    attr_map: array[xps_map, Literal[0]]
class xps_map(KernelStruct):
    ...
class xsk_buff_pool(KernelStruct):
    ...
class xsk_map(KernelStruct):
    map: bpf_map
    lock: spinlock
    count: atomic_t
    xsk_map: array[xdp_sock, Literal[0]]
class xsk_tx_metadata_compl(KernelStruct):
    tx_timestamp: ptr[u64]
class xsk_tx_metadata_ops(KernelStruct):
    ...
class zone_type(IntEnum):
    ZONE_DMA = 0
    ZONE_DMA32 = 1
    ZONE_NORMAL = 2
    ZONE_MOVABLE = 3
    ZONE_DEVICE = 4
    __MAX_NR_ZONES = 5
class zonelist(KernelStruct):
    ...
