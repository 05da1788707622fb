"""Loopback TCP ports: is one taken, give me a free one."""

import errno
import socket

LOOPBACK = "127.0.0.1"


class PortTaken(RuntimeError):
    """Another program listens where we want to. The text names the variable that moves us elsewhere."""

    def __init__(self, what: str, port: int, variable: str) -> None:
        super().__init__(f"{what} cannot start: port {port} is taken by another program; set {variable} to a free port")
        self.port = port
        self.variable = variable


def is_taken(port: int) -> bool:
    """True when nobody else can listen on 127.0.0.1:`port` now."""
    with socket.socket() as s:
        # Connections of a server that has just gone linger; they are no reason to refuse.
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((LOOPBACK, port))
        except OSError as e:
            if e.errno in (errno.EADDRINUSE, errno.EACCES):
                return True
            raise
    return False


def answers(port: int, timeout_s: float = 0.5) -> bool:
    """True when something accepts connections on 127.0.0.1:`port`."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=timeout_s).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """A port nobody listens on at this moment. Someone else may still take it first: callers retry."""
    with socket.socket() as s:
        s.bind((LOOPBACK, 0))
        return int(s.getsockname()[1])
