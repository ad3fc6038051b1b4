package main

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"runnel/cmd/runnel/cli"
	rimage "runnel/image"
)

// layerView shows the layers of a pull. show is safe for concurrent use; close
// ends the view, whether or not all layers are done.
type layerView interface {
	show(p rimage.Progress)
	close()
}

// newLayerView shows bars on a screen, and a line for each finished layer
// elsewhere.
func newLayerView(e cli.Env, c *console) layerView {
	if e.Screen {
		return &layerBars{
			progress: mpb.New(mpb.WithOutput(e.Stderr), mpb.WithWidth(40), mpb.WithAutoRefresh()),
			bars:     make(map[string]*layerBar),
		}
	}
	return &layerLines{console: c, seen: make(map[string]bool)}
}

// shortDigest is how people tell layers apart.
func shortDigest(digest string) string {
	_, hex, found := strings.Cut(digest, ":")
	if !found {
		hex = digest
	}
	return hex[:min(len(hex), 12)]
}

// layerLines prints one line for each layer, once it is done.
type layerLines struct {
	console *console
	// mu guards seen.
	mu   sync.Mutex
	seen map[string]bool
}

func (v *layerLines) show(p rimage.Progress) {
	if done(p) && v.first(p.Layer) {
		v.console.say("layer %s: %s", shortDigest(p.Layer), progressText(p))
	}
}

func (v *layerLines) first(digest string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	first := !v.seen[digest]
	v.seen[digest] = true
	return first
}

func (v *layerLines) close() {}

// layerBars draws one bar for each layer.
type layerBars struct {
	progress *mpb.Progress
	// mu guards bars.
	mu   sync.Mutex
	bars map[string]*layerBar
}

func (v *layerBars) show(p rimage.Progress) {
	v.mu.Lock()
	defer v.mu.Unlock()
	b := v.bars[p.Layer]
	if b == nil {
		b = &layerBar{}
		b.Bar = v.progress.AddBar(max(p.Total, 0),
			mpb.PrependDecorators(decor.Name(shortDigest(p.Layer)+" ")),
			mpb.AppendDecorators(decor.Any(b.word)),
		)
		v.bars[p.Layer] = b
	}
	word := progressText(p)
	b.text.Store(&word)
	if done(p) {
		whole := max(p.Total, p.Current, 1)
		b.SetTotal(whole, false)
		b.SetCurrent(whole) // fills the bar, and completes it
		b.SetTotal(whole, true)
		return
	}
	// A full bar is complete for good, and that is for an unpacked layer only.
	b.SetCurrent(min(p.Current, max(0, p.Total-1)))
}

// layerBar is the bar of one layer and what stands behind it.
type layerBar struct {
	*mpb.Bar
	text atomic.Pointer[string]
}

func (b *layerBar) word(decor.Statistics) string {
	if s := b.text.Load(); s != nil {
		return *s
	}
	return ""
}

func (v *layerBars) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, bar := range v.bars {
		bar.Abort(false) // without effect on one that is complete
	}
	v.progress.Wait()
}

// done reports whether nothing more will be heard of a layer.
func done(p rimage.Progress) bool { return p.State == rimage.Unpacked || p.State == rimage.Shared }

// progressText is how far a layer has come, in words.
func progressText(p rimage.Progress) string {
	switch p.State {
	case rimage.Waiting:
		return "waiting"
	case rimage.Shared:
		return "already here"
	case rimage.Unpacked:
		return "unpacked " + size(max(p.Total, p.Current))
	}
	if p.Total > 0 {
		return size(p.Current) + " of " + size(p.Total)
	}
	return size(p.Current)
}

// size writes a size for people, in binary units.
func size(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
