"""Kills a program at the very system call by which it would change a folder for the Nth time.

    python3 kill_at.py FOLDER N COMMAND…

What survives a kill is what is on the disk and what was sent. This walks the first: the program
runs under ptrace, stops before each system call that changes a file below FOLDER or a name
anywhere, and gets SIGKILL at the Nth, which is then not made. With N = 0 it runs to its end. The
last line on standard output is JSON: how many such calls there were, the one it was killed at, and
its exit code. Linux only; x86-64 and AArch64.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import signal
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
LIBC.ptrace.restype = ctypes.c_long

TRACEME, CONT, SETOPTIONS, GET_SYSCALL_INFO = 0, 7, 0x4200, 0x420E
EVENT_SECCOMP = 7
# Follow forks, vforks, clones and execs, stop where the filter says, and die with the tracer.
OPTIONS = 0x02 | 0x04 | 0x08 | 0x10 | 0x80 | 0x100000
WALL = 0x40000000

# Numbers by architecture, and which of the arguments is a file descriptor; None where names change.
CALLS = {
    "x86_64": {
        1: ("write", 0), 18: ("pwrite64", 0), 20: ("writev", 0), 77: ("ftruncate", 0),
        2: ("open", None), 257: ("openat", None), 82: ("rename", None), 264: ("renameat", None),
        316: ("renameat2", None), 86: ("link", None), 265: ("linkat", None), 87: ("unlink", None),
        263: ("unlinkat", None), 83: ("mkdir", None), 258: ("mkdirat", None),
    },
    "aarch64": {
        64: ("write", 0), 68: ("pwrite64", 0), 66: ("writev", 0), 46: ("ftruncate", 0),
        56: ("openat", None), 38: ("renameat", None), 276: ("renameat2", None), 37: ("linkat", None),
        35: ("unlinkat", None), 34: ("mkdirat", None),
    },
}[platform.machine()]  # fmt: skip


def ptrace(request: int, pid: int, address: int = 0, data: int | ctypes.Array = 0) -> int:
    data = ctypes.addressof(data) if isinstance(data, ctypes.Array) else data
    result = LIBC.ptrace(request, pid, address, data)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request:#x}")
    return result


def become_traced(command: list[str]) -> None:
    """In the child: installs the filter that stops at the calls above, and becomes the command."""
    load, equal, answer = 0x20, 0x15, 0x06
    allow, trace = 0x7FFF0000, 0x7FF00000
    numbers = list(CALLS)
    code = [(load, 0, 0, 0)]  # the system call's number
    code += [(equal, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    code += [(answer, 0, 0, allow), (answer, 0, 0, trace)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
    filters = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(program)))
    ptrace(TRACEME, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    no_new_privileges, set_seccomp, filter_mode = 38, 22, 2
    if LIBC.prctl(no_new_privileges, 1, 0, 0, 0) or LIBC.prctl(set_seccomp, filter_mode, filters, 0, 0):
        os._exit(125)
    os.execvp(command[0], command)


def change(pid: int, folder: str) -> str | None:
    """What the call that a thread is stopped at would change, if anything."""
    info = ctypes.create_string_buffer(88)
    ptrace(GET_SYSCALL_INFO, pid, len(info), info)
    number, *arguments = struct.unpack_from("7Q", info, 24)
    name, descriptor = CALLS[number]
    if name in ("open", "openat"):
        flags = arguments[1 if name == "open" else 2]
        return name if flags & os.O_CREAT else None
    if descriptor is None:
        return name
    try:
        path = os.readlink(f"/proc/{pid}/fd/{arguments[descriptor]}")
    except OSError:
        return None
    return f"{name} {os.path.basename(path)}" if path.startswith(folder + os.sep) else None


def run(folder: str, nth: int, command: list[str]) -> dict[str, object]:
    """Runs a command, and kills it at its nth change."""
    child = os.fork()
    if child == 0:
        become_traced(command)
    os.waitpid(child, 0)
    ptrace(SETOPTIONS, child, 0, OPTIONS)
    ptrace(CONT, child)
    changes: list[str] = []
    while True:
        pid, status = os.waitpid(-1, WALL)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            if pid != child:
                continue
            killed = changes[-1] if nth and len(changes) == nth else None
            code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
            return {"changes": changes, "killed_at": killed, "code": code}
        sent = os.WSTOPSIG(status)
        try:
            if status >> 16 == EVENT_SECCOMP and (what := change(pid, folder)):
                changes.append(what)
                if len(changes) == nth:
                    os.kill(child, signal.SIGKILL)
                    continue
            # New threads begin with a stop of their own, and events are no signals to deliver.
            ptrace(CONT, pid, 0, 0 if status >> 16 or sent in (signal.SIGSTOP, signal.SIGTRAP) else sent)
        except ProcessLookupError:
            continue  # it died meanwhile


if __name__ == "__main__":
    print(json.dumps(run(os.path.realpath(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])))
