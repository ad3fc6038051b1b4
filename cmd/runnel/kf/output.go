package kf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/template"

	"github.com/spf13/cobra"
	"k8s.io/client-go/util/jsonpath"
	"sigs.k8s.io/yaml"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/format"
)

// printer writes lists in the forms of -o.
type printer struct {
	*commands
	output, template string
	lenient          bool

	form, text string // from output and template, by check
}

// forms are those of -o, where nothing else follows or a template does.
const forms = "json, yaml, name, go-template=TEMPLATE, jsonpath=TEMPLATE, jsonpath-as-json=TEMPLATE, go-template-file=FILE or jsonpath-file=FILE"

// register adds the flags to cmd.
func (p *printer) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&p.output, "output", "o", "", "`form` of the output: "+forms)
	flags.StringVar(&p.template, "template", "", "`template`, or a file's name, of -o go-template or go-template-file")
	flags.BoolVar(&p.lenient, "allow-missing-template-keys", true, "take no offence at keys of a template that are not there")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(
		[]cobra.Completion{"json", "yaml", "name", "go-template=", "jsonpath=", "jsonpath-as-json="}, cobra.ShellCompDirectiveNoFileComp))
}

// check reads the flags, and tries a template out.
func (p *printer) check() error {
	form, text, has := strings.Cut(p.output, "=")
	if !has {
		text = p.template
	}
	p.form, p.text = form, text
	switch form {
	case "", "json", "yaml", "name":
		if has {
			return cli.Usagef("--output %s: %s takes no template", p.output, form)
		}
		return nil
	case "go-template", "template", "jsonpath", "jsonpath-as-json":
	case "go-template-file", "templatefile", "jsonpath-file":
		data, err := os.ReadFile(text)
		if err != nil {
			return cli.Usagef("--output %s: %v", p.output, cli.Bare(err))
		}
		p.form, p.text = "go-template", string(data)
		if form == "jsonpath-file" {
			p.form = "jsonpath"
		}
	default:
		return cli.Usagef("--output %s: want %s", p.output, forms)
	}
	if p.text == "" {
		return cli.Usagef("--output %s: a template is missing, as in -o %[1]s=TEMPLATE", form)
	}
	if err := p.parse(); err != nil {
		return cli.Usagef("--output %s: %v", form, err)
	}
	return nil
}

// parse reports what is wrong with the template.
func (p *printer) parse() error {
	if strings.HasPrefix(p.form, "jsonpath") {
		return jsonpath.New("output").Parse(p.text)
	}
	_, err := template.New("output").Parse(p.text)
	return err
}

// none stands in a table for what is not there.
const none = "<nil>"

func orNone(s string) string {
	if s == "" {
		return none
	}
	return s
}

// list writes objects: as -o says, or else as a table below what they are.
func (p *printer) list(what string, objects []object, labels []string, cells [][]string) error {
	if p.form == "" {
		p.Say("Listing %s", what)
		return p.Write(format.Columns(labels, cells))
	}
	out, err := p.render(objects)
	if err != nil {
		return err
	}
	return p.Write(out)
}

// render is the output in the form of -o.
func (p *printer) render(objects []object) ([]byte, error) {
	if p.form == "name" {
		var b bytes.Buffer
		for _, o := range objects {
			fmt.Fprintf(&b, "%s.kf.dev/%s\n", strings.ToLower(o.Kind), o.Metadata.Name)
		}
		return b.Bytes(), nil
	}
	text, err := json.MarshalIndent(list{APIVersion: "v1", Kind: "List", Items: objects}, "", "    ")
	if err != nil {
		return nil, err
	}
	switch p.form {
	case "json":
		return append(text, '\n'), nil
	case "yaml":
		return yaml.JSONToYAML(text)
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	return p.fill(tree)
}

// fill is the template with what a tree holds.
func (p *printer) fill(tree any) ([]byte, error) {
	var b bytes.Buffer
	if strings.HasPrefix(p.form, "jsonpath") {
		path := jsonpath.New("output").AllowMissingKeys(p.lenient)
		path.EnableJSONOutput(p.form == "jsonpath-as-json")
		err := path.Parse(p.text)
		if err == nil {
			err = path.Execute(&b, tree)
		}
		if err != nil {
			return nil, fmt.Errorf("template of --output: %w", err)
		}
		return b.Bytes(), nil
	}
	option := "missingkey=default"
	if !p.lenient {
		option = "missingkey=error"
	}
	t, err := template.New("output").Option(option).Parse(p.text)
	if err == nil {
		err = t.Execute(&b, tree)
	}
	if err != nil {
		return nil, fmt.Errorf("template of --output: %w", err)
	}
	return b.Bytes(), nil
}
