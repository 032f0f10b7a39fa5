"""What hostile code tries with the sockets that it is born with, beside reading and writing them."""

from __future__ import annotations

import array
import fcntl
import os
import socket
import stat


def _channel() -> socket.socket:
    number = next(number for number in range(3, 256) if _is_socket(number))
    # With the kind given, nothing is asked of the kernel.
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=os.dup(number))


def _is_socket(number: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:
        return False


def hand_over_descriptor() -> None:
    with _channel() as channel:
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))
        channel.sendmsg([b""], [rights])


def take_descriptor() -> None:
    with _channel() as channel:
        channel.recvmsg(1, socket.CMSG_SPACE(4), socket.MSG_DONTWAIT)


def ask_who_is_there() -> None:
    with _channel() as channel:
        channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)


def grow_the_channel() -> None:
    with _channel() as channel:
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)


def read_no_more() -> None:
    with _channel() as channel:
        channel.shutdown(socket.SHUT_RD)


def list_interfaces() -> None:
    with _channel() as channel:
        fcntl.ioctl(channel, 0x8912, bytes(16))  # SIOCGIFCONF, asking how much room the list needs


def answer_on_the_requests() -> None:
    os.write(0, b"\x00\x00\x00\x02{}")


def read_what_it_answered() -> None:
    with _channel() as channel:
        if not os.read(channel.fileno(), 1):
            raise OSError(0, "nothing comes back")
