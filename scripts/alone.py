"""alone.py COMMAND: run a command that makes an environment, while no other build makes one."""

import fcntl
import os
import sys

folder = os.open("locks", os.O_RDONLY)
try:
    fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("another build makes an environment: waiting until it is done", file=sys.stderr)
    fcntl.flock(folder, fcntl.LOCK_EX)
except OSError:
    pass  # not every file system has locks
# The command inherits the lock, and whatever ends it frees it.
os.set_inheritable(folder, True)
os.execvp(sys.argv[1], sys.argv[1:])
