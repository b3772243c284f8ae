"""Which test shows that programs of a hook can be loaded, attached, triggered, and what they saw be
seen; scripts/gen_coverage.py makes a page of it, and of what came out on each kernel.

Run with EBEE_MATRIX=FILE, the tests below tests/kernel write there what came out (conftest.py).
"""

_NET, _SOCKETS, _CGROUPS = (f"attaching/test_{n}.py::" for n in ("net", "sockets", "cgroups"))
_TRACING = "tracing/test_"
_STRUCTS = "test_obj_struct_ops.py::"

SHOWN = {
    "xdp": "test_linux_programs.py::test_xdp_drops_and_passes_real_packets",
    "tc": _NET + "test_a_classifier_drops_and_what_others_removed_is_no_trouble",
    "tcx": _NET + "test_tcx_drops_is_updated_pinned_and_detached",
    "netkit": _NET + "test_netkit_programs_see_packets_or_the_error_says_why_not",
    "tc_action": _NET + "test_actions_need_a_kernel_that_has_them",
    "socket_filter": _SOCKETS + "test_a_socket_filter_cuts_drops_and_is_taken_out",
    "sk_reuseport": _SOCKETS + "test_a_program_chooses_the_socket_of_a_reuseport_group_from_a_map",
    "sk_lookup": _NET + "test_socket_lookup_decides_who_gets_a_connection",
    "flow_dissector": _NET + "test_flow_dissection_is_asked_and_there_is_only_one",
    "sk_skb": _SOCKETS + "test_a_verdict_redirects_what_a_socket_receives",
    "sk_msg": _SOCKETS + "test_a_message_program_drops_what_a_socket_sends",
    **dict.fromkeys(
        ("cgroup_skb", "cgroup_sock", "cgroup_sock_addr", "cgroup_sockopt", "cgroup_sysctl",
         "cgroup_dev", "sock_ops"),
        _CGROUPS + "test_a_program_meets_what_the_groups_processes_do",
    ),
    "lwt_in": _NET + "test_a_route_sees_what_is_received_over_it",
    "lwt_out": _NET + "test_a_route_drops_what_is_sent_over_it",
    "lwt_xmit": _NET + "test_a_route_drops_what_is_sent_over_it",
    "lwt_seg6local": _NET + "test_segment_routing_runs_a_program",
    "netfilter": _NET + "test_netfilter_programs_drop_packets_of_their_family",
    "kprobe": _TRACING + "kprobes.py::test_a_kprobe_sees_entry_and_return",
    "ksyscall": _TRACING + "kprobes.py::test_ksyscall_finds_the_function_of_a_system_call",
    "kprobe.multi": _TRACING + "kprobes.py::test_many_functions_by_names_pattern_and_address",
    "kprobe.session": _TRACING + "kprobes.py::test_a_session_is_entry_and_return",
    "uprobe": _TRACING + "uprobes.py::test_a_uprobe_sees_arguments_and_results",
    "uprobe.multi": _TRACING + "uprobes.py::test_many_functions_at_once",
    "uprobe.session": _TRACING + "uprobes.py::test_a_session_is_entry_and_return",
    "usdt": _TRACING + "usdt.py::test_arguments_of_every_place_come_with_a_cookie",
    "tracepoint": _TRACING + "counters.py::test_tracepoints_by_every_mechanism",
    "raw_tracepoint": _TRACING + "trampolines.py::test_raw_and_typed_tracepoints",
    "raw_tracepoint_writable": _TRACING + "trampolines.py::test_a_writable_tracepoint",
    "tp_btf": _TRACING + "trampolines.py::test_raw_and_typed_tracepoints",
    "perf_event": _TRACING + "counters.py::test_samples_of_the_clock_on_all_cpus",
    "fentry": _TRACING + "trampolines.py::test_fentry_sees_the_entry",
    "fexit": _TRACING + "trampolines.py::test_fexit_sees_the_result",
    "fmod_ret": _TRACING + "trampolines.py::test_fmod_ret_decides_in_place_of_a_function",
    "freplace": _TRACING + "trampolines.py::test_freplace_takes_the_place_of_a_function",
    "lsm": _TRACING + "trampolines.py::test_an_lsm_program_decides",
    "lsm_cgroup": _TRACING + "trampolines.py::test_an_lsm_program_of_a_cgroup_decides_there_only",
    "iter": _TRACING + "iterators.py::test_all_tasks_are_walked_again_and_again",
    "struct_ops": _STRUCTS + "test_what_a_map_holds_is_registered_while_its_link_lives",
    "syscall": "test_linux_programs.py::test_a_test_run_takes_and_gives_a_context",
}  # fmt: skip

NOT_SHOWN = {
    "lirc_mode2": "there is no infrared receiver on test machines",
    "fsession": "no kernel of ours has it",
    "fentry.multi": "no kernel of ours has it",
    "fexit.multi": "no kernel of ours has it",
    "fsession.multi": "no kernel of ours has it",
}
"""Hooks without such a test, and why."""
