package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/weirproxy/weir/translate"
)

const renderLong = `Prints the Envoy resources of an instance as JSON: what weir would send to each of its Envoys.

Each of "resources" has its name, its type, the place of the block that it comes from, and the resource itself in
Envoy's JSON form. Equal configurations print equal bytes. Private keys are always left out.`

// rendering is the document that render prints.
type rendering struct {
	Instance  string     `json:"instance"`
	Resources []rendered `json:"resources"`
}

type rendered struct {
	Name     string          `json:"name"`
	Type     string          `json:"type"`
	Place    string          `json:"place,omitempty"`
	Resource json.RawMessage `json:"resource"`
}

func (a *app) renderCommand() *cobra.Command {
	var (
		conf     configuration
		instance string
	)
	cmd := &cobra.Command{
		Use:     "render [PATH]",
		Short:   "Print the Envoy resources of an instance",
		Long:    renderLong,
		Example: "  weir render --instance edge gateway | jq '.resources[].name'",
		Args:    onePath,
	}
	conf.addTo(cmd)
	a.instanceFlag(cmd, &instance, &conf)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := pathArgument(cmd, args, &conf.path); err != nil {
			return err
		}
		c, err := a.load(&conf)
		if err != nil {
			return err
		}
		name, err := theInstance(c, instance)
		if err != nil {
			return err
		}
		document, err := render(name, translate.Instance(c, name))
		if err != nil {
			return err
		}
		return writeJSON(a.stdout, document)
	}
	return cmd
}

func render(instance string, resources []translate.Resource) (rendering, error) {
	document := rendering{Instance: instance, Resources: []rendered{}}
	for _, r := range resources {
		message := proto.Clone(r.Message)
		if err := redact(message.ProtoReflect()); err != nil {
			return rendering{}, fmt.Errorf("render %s: %w", r.Name, err)
		}
		text, err := canonicalJSON(message)
		if err != nil {
			return rendering{}, fmt.Errorf("render %s: %w", r.Name, err)
		}
		document.Resources = append(document.Resources, rendered{
			Name: r.Name, Type: r.Type, Place: r.Place.String(), Resource: text,
		})
	}
	return document, nil
}

// canonicalJSON is protojson without its white space, which differs from build to build on purpose.
func canonicalJSON(m proto.Message) (json.RawMessage, error) {
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	err = json.Compact(&compact, text)
	return compact.Bytes(), err
}
