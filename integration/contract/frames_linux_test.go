package contract

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// frames is a connection of HTTP/2 that is driven frame by frame.
type frames struct {
	*http2.Framer
	net.Conn
	t        *testing.T
	host     string
	settings map[http2.SettingID]uint32
	// encoded is what encoder writes.
	encoded *bytes.Buffer
	encoder *hpack.Encoder
}

// frames opens such a connection to the service.
func (s site) frames() *frames {
	s.t.Helper()
	c := s.dial()
	s.t.Cleanup(func() { _ = c.Close() }) // it may be closed
	f := &frames{Framer: http2.NewFramer(c, c), Conn: c, t: s.t, host: s.name + ".run.localhost",
		settings: map[http2.SettingID]uint32{}, encoded: new(bytes.Buffer)}
	f.encoder = hpack.NewEncoder(f.encoded)
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_, err := io.WriteString(c, http2.ClientPreface)
	if err := errors.Join(err, f.WriteSettings()); err != nil {
		s.t.Fatal(err)
	}
	first, ok := f.next().(*http2.SettingsFrame)
	if !ok {
		s.t.Fatalf("%v comes first", first)
	}
	_ = first.ForeachSetting(func(s http2.Setting) error { f.settings[s.ID] = s.Val; return nil })
	if err := f.WriteSettingsAck(); err != nil {
		s.t.Fatal(err)
	}
	return f
}

// next is the frame that comes.
func (f *frames) next() http2.Frame {
	f.t.Helper()
	frame, err := f.ReadFrame()
	if err != nil {
		f.t.Fatal(err)
	}
	return frame
}

// request begins a GET, whose fields are names and values in turn.
func (f *frames) request(id uint32, path string, fields ...string) {
	f.t.Helper()
	if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: f.block(path, fields...), EndStream: true, EndHeaders: true}); err != nil {
		f.t.Fatal(err)
	}
}

// block encodes the header of a GET. A field that begins with a colon takes the
// place of the GET's own.
func (f *frames) block(path string, fields ...string) []byte {
	f.encoded.Reset()
	own := []string{":method", "GET", ":scheme", "http", ":authority", f.host, ":path", path}
	for i := range fields {
		if at := slices.Index(own, fields[i]); i%2 == 0 && at >= 0 {
			own[at+1] = fields[i+1]
			fields = fields[:0]
			break
		}
	}
	all := append(own, fields...)
	for i := 0; i+1 < len(all); i += 2 {
		_ = f.encoder.WriteField(hpack.HeaderField{Name: all[i], Value: all[i+1]}) // a buffer takes all
	}
	return f.encoded.Bytes()
}

// status is that of the answer to a request, "reset" if there is none.
func (f *frames) status(id uint32) string {
	f.t.Helper()
	for {
		switch frame := f.next().(type) {
		case *http2.MetaHeadersFrame:
			if frame.StreamID == id {
				return frame.PseudoValue("status")
			}
		case *http2.RSTStreamFrame:
			if frame.StreamID == id {
				return "reset"
			}
		case *http2.GoAwayFrame:
			f.t.Fatalf("the connection is closed, with %v: %s", frame.ErrCode, frame.DebugData())
		}
	}
}
