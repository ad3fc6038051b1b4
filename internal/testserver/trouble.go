package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// spin counts.
func (s *server) spin() {
	for {
		s.turns.Add(1)
	}
}

// memory holds on to that many mebibytes more.
func (s *server) memory(w http.ResponseWriter, r *http.Request) {
	mib, _ := strconv.Atoi(r.FormValue("mib"))
	for range mib {
		page := make([]byte, 1<<20)
		for i := range page {
			page[i] = 1
		}
		s.mu.Lock()
		s.held = append(s.held, page)
		s.mu.Unlock()
	}
	fmt.Fprintln(w, "held")
}

// write writes a text and that many mebibytes to a file, and says what went
// wrong.
func (s *server) write(w http.ResponseWriter, r *http.Request) {
	mib, _ := strconv.ParseInt(r.FormValue("mib"), 10, 64)
	f, err := os.Create(r.FormValue("path"))
	if err == nil {
		defer f.Close()
		_, err = io.Copy(f, io.MultiReader(strings.NewReader(r.FormValue("text")), io.LimitReader(zeros{}, mib<<20)))
	}
	fmt.Fprintln(w, err)
}

func (s *server) exit(_ http.ResponseWriter, r *http.Request) {
	code, _ := strconv.Atoi(r.FormValue("code"))
	fmt.Println("exits because of", r.Method, r.FormValue("say"))
	os.Exit(code)
}

// broken sends what the query says in place of an answer, and hangs up.
func (s *server) broken(w http.ResponseWriter, r *http.Request) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(c, r.FormValue("with")) // who has gone needs nothing
	_ = c.Close()                                 // as above
}

// busy keeps a CPU busy until the client goes.
func (s *server) busy(_ http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		s.turns.Add(1)
	}
}

// fetch calls a URL, with an identity token for an audience if one is named, and
// tells what comes back.
func (s *server) fetch(w http.ResponseWriter, r *http.Request) {
	ask, err := http.NewRequestWithContext(r.Context(), http.MethodGet, r.FormValue("url"), nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if audience := r.FormValue("audience"); audience != "" {
		token, err := identity(r, audience)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		ask.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(ask)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	answer(w, map[string]any{"status": resp.StatusCode, "body": string(body)})
}
