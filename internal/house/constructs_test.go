package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
)

// maxLines is where a file holds more than one concept.
const maxLines = 400

// checkLength finds files that are too long, tests among them.
func checkLength(files []file) (faults []string) {
	for _, f := range files {
		if f.lines > maxLines {
			faults = append(faults, fmt.Sprintf("%s: %d lines, want at most %d: which two concepts does it hold?", f.path, f.lines, maxLines))
		}
	}
	return faults
}

// mayInit is the one binary that needs an init function: libcontainer executes
// it again in the middle of making a container, before main may run.
const mayInit = "cmd/runnel-shim"

// checkInit finds code that runs because a package is imported.
func checkInit(files []file) (faults []string) {
	for _, f := range files {
		for _, decl := range f.tree.Decls {
			if d, ok := decl.(*ast.FuncDecl); ok && d.Recv == nil && d.Name.Name == "init" && f.dir() != mayInit {
				faults = append(faults, fmt.Sprintf("%s: no init functions: importing a package must do nothing", f.at(d.Pos())))
			}
		}
	}
	return faults
}

// checkSleep finds waits that nothing can end.
func checkSleep(files []file) (faults []string) {
	for _, f := range files {
		if f.isTest() {
			continue
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && isCall(call, "time", "Sleep") {
				faults = append(faults, fmt.Sprintf("%s: no time.Sleep: wait for the thing itself, or for a timer and the context", f.at(call.Pos())))
			}
			return true
		})
	}
	return faults
}

// checkVariables finds package-level variables that change, or that anybody
// could change: exported ones other than errors, those of a type made to be
// changed, and those that some function assigns to.
func checkVariables(files []file) (faults []string) {
	vars := map[string]bool{}
	for _, f := range files {
		if f.isTest() {
			continue
		}
		eachVariable(f.tree, func(spec *ast.ValueSpec, name *ast.Ident) {
			vars[f.dir()+"."+name.Name] = true
			switch {
			case changeable(spec):
				faults = append(faults, fmt.Sprintf("%s: the package-level variable %s is made to be changed: pass it instead", f.at(name.Pos()), name.Name))
			case name.IsExported() && !strings.HasPrefix(name.Name, "Err"):
				faults = append(faults, fmt.Sprintf("%s: %s can be changed by anybody: make it a constant or a function", f.at(name.Pos()), name.Name))
			}
		})
	}
	for _, f := range files {
		if f.isTest() {
			continue
		}
		for _, id := range assigned(f.tree) {
			if vars[f.dir()+"."+id.Name] {
				faults = append(faults, fmt.Sprintf("%s: the package-level variable %s is assigned to: pass it instead", f.at(id.Pos()), id.Name))
			}
		}
	}
	return faults
}

// eachVariable calls do for every package-level variable that has a name.
func eachVariable(tree *ast.File, do func(*ast.ValueSpec, *ast.Ident)) {
	for _, decl := range tree.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok || d.Tok != token.VAR {
			continue
		}
		for _, spec := range d.Specs {
			s := spec.(*ast.ValueSpec)
			for _, name := range s.Names {
				if name.Name != "_" {
					do(s, name)
				}
			}
		}
	}
}

// changeable reports whether a variable is of a type of sync or sync/atomic.
func changeable(spec *ast.ValueSpec) (found bool) {
	if spec.Type == nil {
		return false
	}
	ast.Inspect(spec.Type, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok {
				found = found || id.Name == "sync" || id.Name == "atomic"
			}
		}
		return true
	})
	return found
}

// assigned lists the names that functions of a file assign to, or take the
// address of, and that are not local: the parser resolves those of the same
// function, and leaves those of the package open or points them there.
func assigned(tree *ast.File) (names []*ast.Ident) {
	target := func(e ast.Expr) {
		if id := rootOf(e); id != nil && !isLocal(tree, id) {
			names = append(names, id)
		}
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch s := n.(type) {
		case *ast.AssignStmt:
			if s.Tok != token.DEFINE {
				for _, e := range s.Lhs {
					target(e)
				}
			}
		case *ast.IncDecStmt:
			target(s.X)
		case *ast.UnaryExpr:
			if s.Op == token.AND {
				if id, ok := s.X.(*ast.Ident); ok {
					target(id)
				}
			}
		}
		return true
	})
	return names
}

// rootOf is the x of x, x.f, x[i], *x.
func rootOf(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// isLocal reports whether id is declared inside a function.
func isLocal(tree *ast.File, id *ast.Ident) bool {
	if id.Obj == nil {
		return false
	}
	return tree.Scope.Lookup(id.Name) != id.Obj
}
