package source

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWatchAlso(t *testing.T) {
	eachMode(t, func(t *testing.T, o Options) {
		root := makeTree(t, "a.hcl")
		outside := makeTree(t, "cert.pem", "list/")
		cert, later, list := filepath.Join(outside, "cert.pem"), filepath.Join(outside, "not/yet/there.pem"), filepath.Join(outside, "list")
		text := map[string]string{"a.hcl": "# a.hcl"}
		o.Path = root
		w := start(t, o)
		nextText(t, w, text)
		w.Also([]string{cert, later, list})

		renameSave(t, cert, "renewed")
		nextText(t, w, text)
		writeFile(t, cert, "renewed in place")
		nextText(t, w, text)
		writeFile(t, later, "there")
		nextText(t, w, text)
		writeFile(t, filepath.Join(list, "new"), "a name that a directory did not have")
		nextText(t, w, text)
		writeFile(t, filepath.Join(list, "new"), "what it holds is of no interest")
		mustDo(t, os.Remove(later))
		nextText(t, w, text)

		w.Also([]string{later})
		w.Reload() // its answer comes after Also was heard
		nextText(t, w, text)
		renameSave(t, cert, "no longer watched")
		writeFile(t, later, "back")
		nextText(t, w, text)
		renameSave(t, filepath.Join(root, "a.hcl"), "changed")
		nextText(t, w, map[string]string{"a.hcl": "changed"})
	})
}

func TestWatchAlsoLinks(t *testing.T) {
	eachMode(t, func(t *testing.T, o Options) {
		root := makeTree(t, "a.hcl")
		secret := makeTree(t, "..v1/tls.crt", "..v2/tls.crt", "..data -> ..v1", "tls.crt -> ..data/tls.crt")
		text := map[string]string{"a.hcl": "# a.hcl"}
		o.Path = root
		w := start(t, o)
		nextText(t, w, text)
		w.Also([]string{filepath.Join(secret, "tls.crt")})
		mustDo(t, os.Symlink("..v2", filepath.Join(secret, "tmp")))
		mustDo(t, os.Rename(filepath.Join(secret, "tmp"), filepath.Join(secret, "..data")))
		nextText(t, w, text)
		renameSave(t, filepath.Join(secret, "..v2/tls.crt"), "third")
		nextText(t, w, text)
	})
}

// Between an Update and the call of Also that follows it, files may have been read and changed.
func TestWatchAlsoSeesWhatChangedBefore(t *testing.T) {
	eachMode(t, func(t *testing.T, o Options) {
		root := makeTree(t, "a.hcl")
		cert := filepath.Join(makeTree(t, "cert.pem"), "cert.pem")
		o.Path = root
		w := start(t, o)
		next(t, w)
		renameSave(t, cert, "changed before anyone watched")
		w.Also([]string{cert})
		nextText(t, w, map[string]string{"a.hcl": "# a.hcl"})
	})
}

// What stands at a path may be anything; it is for whoever reads it to complain.
func TestWatchAlsoOddities(t *testing.T) {
	eachMode(t, func(t *testing.T, o Options) {
		root := makeTree(t, "a.hcl")
		odd := makeTree(t, "loop -> loop", "dangling -> nowhere", "device -> /dev/zero", "file")
		text := map[string]string{"a.hcl": "# a.hcl"}
		o.Path = root
		w := start(t, o)
		nextText(t, w, text)
		loop, dangling, below := filepath.Join(odd, "loop"), filepath.Join(odd, "dangling"), filepath.Join(odd, "file/below")
		w.Also([]string{loop, dangling, below, filepath.Join(odd, "device"), "\x00"})
		w.Reload()
		nextText(t, w, text)
		for _, path := range []string{loop, dangling} {
			mustDo(t, os.Remove(path))
			writeFile(t, path, "a file now")
			nextText(t, w, text)
		}
		mustDo(t, os.Remove(filepath.Join(odd, "file")))
		writeFile(t, below, "there")
		nextText(t, w, text)
	})
}
