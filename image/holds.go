package image

import (
	"os"
	"slices"
)

// Holds reports whether a file of the image has one of the paths, which are
// relative to its root. It looks at the layers one by one: a file that a layer
// above has removed is still found, and one behind a link that leads out of its
// layer is not.
func (i *Image) Holds(paths ...string) bool {
	return slices.ContainsFunc(i.Layers, func(layer string) bool { return layerHolds(layer, paths) })
}

// layerHolds reports whether a layer has one of the paths.
func layerHolds(layer string, paths []string) bool {
	root, err := os.OpenRoot(layer)
	if err != nil {
		return false
	}
	defer func() { _ = root.Close() }() // nothing was written
	return slices.ContainsFunc(paths, func(path string) bool {
		_, err := root.Lstat(path)
		return err == nil
	})
}
