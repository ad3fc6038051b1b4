package services

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"cloud.google.com/go/iam/apiv1/iampb"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/format"
	"runnel/cmd/runnel/release"
	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/verb"
)

// invokerRole is that of who may call a service, everybody whoever calls.
const (
	invokerRole = "roles/run.invoker"
	everybody   = "allUsers"
)

// policy says who may do what with a service.
type policy struct{ *iampb.Policy }

// has reports whether a member has a role.
func (p policy) has(role, member string) bool {
	return slices.ContainsFunc(p.GetBindings(), func(b *iampb.Binding) bool {
		return b.GetRole() == role && slices.Contains(b.GetMembers(), member)
	})
}

// add gives a member a role.
func (p policy) add(role, member string) {
	if p.has(role, member) {
		return
	}
	for _, b := range p.GetBindings() {
		if b.GetRole() == role && b.GetCondition() == nil {
			b.Members = append(b.Members, member)
			return
		}
	}
	p.Bindings = append(p.Bindings, &iampb.Binding{Role: role, Members: []string{member}})
}

// remove takes a role from a member.
func (p policy) remove(role, member string) {
	for _, b := range p.GetBindings() {
		if b.GetRole() == role {
			b.Members = slices.DeleteFunc(b.Members, func(m string) bool { return m == member })
		}
	}
	p.Bindings = slices.DeleteFunc(p.Bindings, func(b *iampb.Binding) bool { return len(b.GetMembers()) == 0 })
}

// fetchPolicy is the policy of the service of a full name.
func fetchPolicy(ctx context.Context, r *verb.Remote, name string) (policy, error) {
	p, err := r.Client.Services.GetIamPolicy(ctx, &iampb.GetIamPolicyRequest{Resource: name})
	return policy{p}, missing(r, err, name)
}

// editPolicy changes the policy as it is now, and begins again if it is another
// by then.
func editPolicy(ctx context.Context, r *verb.Remote, name string, edit func(policy) error) (policy, error) {
	return release.Retry(func() (policy, error) {
		p, err := fetchPolicy(ctx, r, name)
		if err != nil {
			return p, err
		}
		if err := edit(p); err != nil {
			return p, err
		}
		stored, err := r.Client.Services.SetIamPolicy(ctx, &iampb.SetIamPolicyRequest{Resource: name, Policy: p.Policy})
		return policy{stored}, err
	})
}

// getPolicy builds "runnel services get-iam-policy".
func (c *commands) getPolicy() *cobra.Command {
	return &cobra.Command{
		Use:               "get-iam-policy NAME",
		Short:             "Show who may do what with a service",
		Example:           `  runnel services get-iam-policy hello --format json`,
		Args:              verb.WantOne("the service's name"),
		ValidArgsFunction: c.completeServices,
		RunE: c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
			p, err := fetchPolicy(ctx, r, r.Full(servicesOf, args[0]))
			if err != nil {
				return err
			}
			return c.showPolicy(p)
		}),
	}
}

// addBinding builds "runnel services add-iam-policy-binding".
func (c *commands) addBinding() *cobra.Command {
	return c.binding(&cobra.Command{
		Use:   "add-iam-policy-binding NAME --member MEMBER --role ROLE",
		Short: "Give somebody a role on a service",
		Long: `Give somebody a role on a service: roles/run.invoker is to call it. A member is
allUsers for everybody, or serviceAccount:EMAIL for the services that run as
that account.`,
		Example: `  runnel services add-iam-policy-binding hello --member allUsers --role roles/run.invoker
  runnel services add-iam-policy-binding hello --role roles/run.invoker \
       --member serviceAccount:front@local.iam.gserviceaccount.com`,
	}, func(p policy, role, member string) error {
		p.add(role, member)
		return nil
	})
}

// removeBinding builds "runnel services remove-iam-policy-binding".
func (c *commands) removeBinding() *cobra.Command {
	return c.binding(&cobra.Command{
		Use:     "remove-iam-policy-binding NAME --member MEMBER --role ROLE",
		Short:   "Take a role on a service from somebody",
		Example: `  runnel services remove-iam-policy-binding hello --member allUsers --role roles/run.invoker`,
	}, func(p policy, role, member string) error {
		if !p.has(role, member) {
			return cli.Usagef("--member %s: does not have %s", member, role)
		}
		p.remove(role, member)
		return nil
	})
}

// binding completes a verb that changes one binding.
func (c *commands) binding(cmd *cobra.Command, edit func(p policy, role, member string) error) *cobra.Command {
	var member, role string
	cmd.Args, cmd.ValidArgsFunction = verb.WantOne("the service's name"), c.completeServices
	cmd.Flags().StringVar(&member, "member", "", "`who` it is, such as allUsers or serviceAccount:EMAIL")
	cmd.Flags().StringVar(&role, "role", "", "`role`, such as "+invokerRole)
	_ = cmd.RegisterFlagCompletionFunc("member", cobra.FixedCompletions([]string{everybody, "serviceAccount:"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("role", cobra.FixedCompletions([]string{invokerRole}, cobra.ShellCompDirectiveNoFileComp)) // all fail only for flags that do not exist
	check := func() error {
		switch {
		case member == "":
			return cli.Usagef("--member is missing: say who, such as allUsers")
		case role == "":
			return cli.Usagef("--role is missing: name one, such as %s", invokerRole)
		}
		return nil
	}
	cmd.RunE = c.Checked(check, func(ctx context.Context, r *verb.Remote, args []string) error {
		name := r.Full(servicesOf, args[0])
		p, err := editPolicy(ctx, r, name, func(p policy) error { return edit(p, role, member) })
		if err != nil {
			flags := map[string]string{"policy.bindings.members": "--member " + member, "policy.bindings.role": "--role " + role}
			return (&submission{commands: c, flagOf: func(path string) string { return cmp.Or(flags[path], path) }}).inFlags(r, err)
		}
		return c.updatedPolicy(name, p)
	})
	return cmd
}

// setPolicy builds "runnel services set-iam-policy".
func (c *commands) setPolicy() *cobra.Command {
	return &cobra.Command{
		Use:   "set-iam-policy NAME FILE",
		Short: "Say who may do what with a service",
		Long: `Make the policy of a service what a file of JSON or YAML says. "-" reads it from
standard input.`,
		Example: `  runnel services get-iam-policy hello > policy.yaml
  runnel services set-iam-policy hello policy.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return cli.Usagef("want two arguments: the service's name and the policy's file")
			}
			return nil
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, written string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return c.completeServices(cmd, args, written)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			wanted, err := cli.ParseFile(args[1], c.Env.Stdin, parsePolicy, nil)
			if err != nil {
				return err
			}
			return c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
				name := r.Full(servicesOf, args[0])
				p, err := r.Client.Services.SetIamPolicy(ctx, &iampb.SetIamPolicyRequest{Resource: name, Policy: wanted})
				if err != nil {
					return missing(r, err, name)
				}
				return c.updatedPolicy(name, policy{p})
			})(cmd, args)
		},
	}
}

// parsePolicy reads a policy's file.
func parsePolicy(data []byte) (*iampb.Policy, error) {
	var tree any
	if err := yaml.Unmarshal(data, &tree); err != nil {
		return nil, err
	}
	asJSON, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	p := &iampb.Policy{}
	if protojson.Unmarshal(asJSON, p) != nil {
		return nil, errors.New("is no policy: want bindings, each with a role and members")
	}
	return p, nil
}

// updatedPolicy tells that the policy of a service is another, and shows it.
func (c *commands) updatedPolicy(name string, p policy) error {
	c.Say("Updated IAM policy for service [%s].", verb.Short(name))
	return c.showPolicy(p)
}

// showPolicy writes a policy, as YAML if --format says nothing.
func (c *commands) showPolicy(p policy) error {
	f, err := c.Form()
	if err != nil {
		return err
	}
	if f.Kind == format.Default {
		f.Kind = format.YAML
	}
	data, err := protojson.Marshal(p.Policy)
	if err != nil {
		return err
	}
	row, err := sheet.Row(json.RawMessage(data), nil)
	if err != nil {
		return err
	}
	out, err := f.One(row)
	if err != nil {
		return err
	}
	return c.Write(out)
}
