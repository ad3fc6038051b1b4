package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"
)

// drawers are names that say of a package only that nobody knew where to put
// what is in it.
var drawers = []string{"util", "utils", "helper", "helpers", "common", "misc", "base", "shared"}

// checkDrawers finds packages of no subject.
func checkDrawers(files []file) (faults []string) {
	seen := map[string]bool{}
	for _, f := range files {
		name := strings.TrimSuffix(f.tree.Name.Name, "_test")
		if slices.Contains(drawers, name) || slices.Contains(drawers, path.Base(f.dir())) {
			seen[fmt.Sprintf("%s: a package named %s has no subject; name it for what it owns", f.dir(), name)] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// checkPackageComments finds packages with no comment, with several, or with
// one that does not begin as godoc shows it.
func checkPackageComments(files []file) (faults []string) {
	comments := map[string][]string{}
	for _, f := range files {
		if f.isTest() {
			continue
		}
		in := comments[f.dir()]
		if f.tree.Doc != nil {
			in = append(in, f.path)
			name := f.tree.Name.Name
			if name != "main" && !strings.HasPrefix(f.tree.Doc.Text(), "Package "+name+" ") {
				faults = append(faults, fmt.Sprintf("%s: the package comment must begin with \"Package %s \"", f.path, name))
			}
		}
		comments[f.dir()] = in
	}
	for _, dir := range slices.Sorted(maps.Keys(comments)) {
		if in := comments[dir]; len(in) != 1 {
			faults = append(faults, fmt.Sprintf("%s: want exactly one package comment, found %d %v", dir, len(in), in))
		}
	}
	return faults
}

// checkDocumented finds exported identifiers without a comment.
func checkDocumented(files []file) (faults []string) {
	for _, f := range files {
		if f.isTest() {
			continue
		}
		for _, name := range undocumented(f.tree) {
			faults = append(faults, fmt.Sprintf("%s: %s is exported and has no comment", f.at(name.Pos()), name.Name))
		}
	}
	return faults
}

// undocumented lists the exported names of a file that no comment explains. A
// comment on a group of constants or variables holds for all of them.
func undocumented(tree *ast.File) (names []*ast.Ident) {
	for _, decl := range tree.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
				names = append(names, d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() && s.Doc == nil && (d.Doc == nil || d.Lparen.IsValid()) {
						names = append(names, s.Name)
					}
				case *ast.ValueSpec:
					if d.Doc == nil && s.Doc == nil && s.Comment == nil {
						names = append(names, exported(s.Names)...)
					}
				}
			}
		}
	}
	return names
}

// exportedReceiver reports whether godoc shows d at all.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	shown := false
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			shown = id.IsExported()
			return false
		}
		_, list := n.(*ast.IndexListExpr)
		return !shown && !list
	})
	return shown
}

func exported(names []*ast.Ident) (out []*ast.Ident) {
	for _, name := range names {
		if name.IsExported() {
			out = append(out, name)
		}
	}
	return out
}

// checkErrorWords finds errors that begin with what every error says.
func checkErrorWords(files []file) (faults []string) {
	for _, f := range files {
		ast.Inspect(f.tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 || !(isCall(call, "fmt", "Errorf") || isCall(call, "errors", "New")) {
				return true
			}
			text, ok := call.Args[0].(*ast.BasicLit)
			if ok && text.Kind == token.STRING && strings.HasPrefix(strings.ToLower(text.Value[1:]), "failed to") && !f.isTest() {
				faults = append(faults, fmt.Sprintf("%s: an error says what was being done, subject first; that it failed is understood", f.at(call.Pos())))
			}
			return true
		})
	}
	return faults
}

// isCall reports whether call is one of the function name of the package pkg.
func isCall(call *ast.CallExpr, pkg, name string) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	return ok && id.Name == pkg
}
