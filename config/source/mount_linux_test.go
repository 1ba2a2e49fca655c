package source

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A bind-mounted file sends events itself; the directory that it is mounted in sends none.
func TestWatchBindMountedFile(t *testing.T) {
	host, container := makeTree(t, "weir.hcl", "cert.pem"), makeTree(t, "weir.hcl", "cert.pem")
	for _, name := range []string{"weir.hcl", "cert.pem"} {
		target := filepath.Join(container, name)
		if err := syscall.Mount(filepath.Join(host, name), target, "", syscall.MS_BIND, ""); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("mount: %v", err)
			}
			t.Skipf("this user may not mount: %v", err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(target, syscall.MNT_DETACH) })
	}
	text := map[string]string{"weir.hcl": "edited on the host"}
	w := start(t, Options{Path: filepath.Join(container, "weir.hcl"), Poll: time.Hour})
	next(t, w)
	writeFile(t, filepath.Join(host, "weir.hcl"), text["weir.hcl"])
	nextText(t, w, text)
	w.Also([]string{filepath.Join(container, "cert.pem")})
	w.Reload() // its answer comes after Also was heard
	nextText(t, w, text)
	mustDo(t, os.WriteFile(filepath.Join(host, "cert.pem"), []byte("renewed"), 0o600))
	nextText(t, w, text)
}
