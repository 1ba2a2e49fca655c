package source

import (
	"os"
	"syscall"
)

const fSetLease = 1024 // F_SETLEASE of fcntl(2)

// nobodyWrites tells whether it is sure that no process has the file open for writing. The kernel grants a read lease
// only then; it is given back at once. Where leases do not work (another owner's file, NFS) nothing is sure.
//
// It is how a file that an editor renamed into place, whole, differs from one that is being written there: neither
// events nor times say it reliably.
func nobodyWrites(f *os.File) bool {
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	granted := false
	err = raw.Control(func(fd uintptr) {
		if _, _, e := syscall.Syscall(syscall.SYS_FCNTL, fd, fSetLease, syscall.F_RDLCK); e != 0 {
			return
		}
		granted = true
		// Closing the file would give the lease back too.
		_, _, _ = syscall.Syscall(syscall.SYS_FCNTL, fd, fSetLease, syscall.F_UNLCK)
	})
	return err == nil && granted
}
