"""A congestion control of TCP: it grows the window by one segment in `pace` acknowledgements, and
halves it when segments are lost. Programs ask for it by its name, "ebee_steady".

ebee struct_ops register examples/congestion_control.py
a connection that sends 20 messages: acknowledged > 0
"""

from ebee import Const, Global, struct_ops, u32, u64
from ebee.vmlinux import tcp_sock

pace: Const[u32] = 4
acknowledged: Global[u64] = 0


@struct_ops("tcp_congestion_ops", link=False)  # its map registers it, also before Linux 6.4
class Steady:
    name = "ebee_steady"

    def ssthresh(self, tcp: tcp_sock) -> u32:
        return u32(max(tcp.snd_cwnd // 2, u32(2)))

    def undo_cwnd(self, tcp: tcp_sock) -> u32:
        return tcp.snd_cwnd

    def cong_avoid(self, tcp: tcp_sock, ack: u32, acked: u32) -> None:
        global acknowledged
        acknowledged += acked
        tcp.snd_cwnd_cnt += acked
        if tcp.snd_cwnd_cnt >= pace:
            tcp.snd_cwnd_cnt = u32(0)
            tcp.snd_cwnd += 1
