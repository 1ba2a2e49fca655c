package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/weirproxy/weir/admin"
)

const upstreamsLong = `Lists the upstreams, or shows one of them: its settings with the defaults that hold, its nodes with their shares of the
requests, and the APIs that use it.

They are those of the running weir at --admin-address, or with --config (WEIR_CONFIG) those of files. A running weir
also asks the Envoys how the nodes of the one upstream are: healthy, unhealthy, unknown, or off (weight 0). Those of
"weir run" it can ask; others where their bootstrap has an --envoy-admin-address that weir reaches.`

func (a *app) upstreamsCommand() *cobra.Command {
	var (
		address string
		conf    configuration
	)
	cmd := &cobra.Command{
		Use:     "upstreams [NAME]",
		Short:   "Show upstreams, their nodes and associated APIs",
		Long:    upstreamsLong,
		Example: "  weir upstreams orders --config gateway",
		Args: func(cmd *cobra.Command, args []string) error {
			return atMost(cmd, args, 1, "one NAME")
		},
	}
	conf.addTo(cmd)
	config := cmd.Flags().Lookup("config")
	config.DefValue, conf.path = "", ""
	config.Usage = "configuration to read instead of asking a running weir"
	adminFlag(cmd, &address)
	output := outputFlag(cmd, "text", "json")
	list := func(cmd *cobra.Command) ([]admin.Upstream, error) {
		if cmd.Flags().Changed("admin-address") && cmd.Flags().Changed("config") {
			return nil, usage(cmd, fmt.Errorf("--admin-address asks a running weir and --config reads files; say one of them"))
		}
		if conf.path != "" && !cmd.Flags().Changed("admin-address") {
			return a.upstreamsOfFiles(&conf)
		}
		return upstreamsOfWeir(cmd.Context(), address)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		all, err := list(cmd)
		if err != nil {
			return err
		}
		if len(args) == 1 && (conf.path == "" || cmd.Flags().Changed("admin-address")) {
			if err := withStates(cmd.Context(), address, all, args[0]); err != nil {
				return err
			}
		}
		return writeUpstreams(a.stdout, all, args, output.value == "json")
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 || a.bindEnvironment(cmd) != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		a.stderr = io.Discard
		all, _ := list(cmd) // nothing to offer then
		return upstreamNames(all), cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

func (a *app) upstreamsOfFiles(conf *configuration) ([]admin.Upstream, error) {
	result, err := a.loadResult(conf)
	if err != nil {
		return nil, err
	}
	return admin.Upstreams(result.Configuration, result.Mask()), nil
}

func upstreamsOfWeir(ctx context.Context, address string) ([]admin.Upstream, error) {
	c, err := newAsker(address)
	if err != nil {
		return nil, err
	}
	var list admin.UpstreamList
	if err := c.call(ctx, http.MethodGet, "/api/v1/upstreams", &list); err != nil {
		return nil, err
	}
	return list.Upstreams, nil
}

// withStates puts what the running weir knows of one upstream in its place among all.
func withStates(ctx context.Context, address string, all []admin.Upstream, name string) error {
	i := slices.IndexFunc(all, func(u admin.Upstream) bool { return u.Name == name })
	if i < 0 {
		return nil
	}
	c, err := newAsker(address)
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodGet, "/api/v1/upstreams/"+name, &all[i])
}

// writeUpstreams prints all of them, or the one that args name.
func writeUpstreams(w io.Writer, all []admin.Upstream, args []string, asJSON bool) error {
	if len(args) == 0 {
		if asJSON {
			return writeJSON(w, admin.UpstreamList{Upstreams: append([]admin.Upstream{}, all...)})
		}
		return writeUpstreamTable(w, all)
	}
	i := slices.IndexFunc(all, func(u admin.Upstream) bool { return u.Name == args[0] })
	if i < 0 {
		return fmt.Errorf("there is no upstream %q%s", args[0], suggestion(args[0], upstreamNames(all)))
	}
	if asJSON {
		return writeJSON(w, all[i])
	}
	return writeUpstream(w, all[i])
}

func upstreamNames(all []admin.Upstream) []string {
	names := make([]string, len(all))
	for i, u := range all {
		names[i] = u.Name
	}
	return names
}

func writeUpstreamTable(w io.Writer, all []admin.Upstream) error {
	t := table(w)
	fmt.Fprintln(t, "NAME\tVPC\tPROTOCOL\tLOAD BALANCING\tNODES\tRETRIES\tCHECKS\tAPIS\tPLACE")
	for _, u := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%d\t%s\n",
			u.Name, u.VPC, u.Protocol, u.LoadBalancing, nodeCount(u.Nodes), u.Retries, checksText(u), len(u.AssociatedAPIs), placeText(u.Place))
	}
	return t.Flush()
}

// checksText is what tells whether nodes are well: "http", "grpc, outliers", "none".
func checksText(u admin.Upstream) string {
	var checks []string
	if u.HealthCheck != nil {
		checks = append(checks, u.HealthCheck.Type)
	}
	if u.OutlierDetection != nil {
		checks = append(checks, "outliers")
	}
	if len(checks) == 0 {
		return "none"
	}
	return strings.Join(checks, ", ")
}

// nodeCount is "3", or "2 of 3" where one is disabled.
func nodeCount(nodes []admin.Node) string {
	enabled := 0
	for _, n := range nodes {
		if n.Weight > 0 {
			enabled++
		}
	}
	if enabled == len(nodes) {
		return strconv.Itoa(enabled)
	}
	return fmt.Sprintf("%d of %d", enabled, len(nodes))
}

func writeUpstream(w io.Writer, u admin.Upstream) error {
	t := table(w)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(t, "%s\t%s\n", name, printable(value))
		}
	}
	row("name", u.Name)
	row("description", u.Description)
	row("vpc", u.VPC)
	row("protocol", u.Protocol)
	row("host_header", u.HostHeader)
	if err := writeSettings(row, u); err != nil {
		return err
	}
	row("place", placeText(u.Place))
	writeNodes(t, u.Nodes)
	writeWitnesses(t, u.Witnesses)
	if len(u.AssociatedAPIs) == 0 {
		fmt.Fprintln(t, "\nNo API uses it.")
		return t.Flush()
	}
	fmt.Fprintln(t, "\nAPI\tINSTANCE\tDOMAINS\tMETHODS\tPATH\tPLACE")
	for _, a := range u.AssociatedAPIs {
		fmt.Fprintf(t, "%s/%s\t%s\t%s\t%s\t%s\t%s\n", a.Service, a.API, a.Instance,
			orAny(a.Domains), orAny(a.Methods), printable(a.Path), placeText(a.Place))
	}
	return t.Flush()
}

// writeNodes prints the nodes, and how they are where the Envoys were asked.
func writeNodes(w io.Writer, nodes []admin.Node) {
	asked := slices.ContainsFunc(nodes, func(n admin.Node) bool { return n.State != "" })
	if asked {
		fmt.Fprintln(w, "\nNODE\tWEIGHT\tSHARE\tSTATE\tPLACE")
	} else {
		fmt.Fprintln(w, "\nNODE\tWEIGHT\tSHARE\tPLACE")
	}
	for _, n := range nodes {
		fmt.Fprintf(w, "%s\t%d\t%s\t", printable(n.Address), n.Weight, share(n))
		if asked {
			fmt.Fprintf(w, "%s\t", printable(stateText(n)))
		}
		fmt.Fprintf(w, "%s\n", placeText(n.Place))
	}
}

// stateText is a node's state, with the proxies that see it so where they do not agree.
func stateText(n admin.Node) string {
	var by []string
	for _, s := range n.States {
		if s.State == n.State {
			by = append(by, s.Proxy)
		}
	}
	if len(by) == len(n.States) || len(by) == 0 {
		return string(n.State)
	}
	more := ""
	if len(by) > 3 {
		more = fmt.Sprintf(" and %d more", len(by)-3)
		by = by[:3]
	}
	return fmt.Sprintf("%s at %s%s of %d", n.State, strings.Join(by, ", "), more, len(n.States))
}

// writeWitnesses prints the Envoys that told nothing, and why.
func writeWitnesses(w io.Writer, all []admin.Witness) {
	title := "\nPROXY\tINSTANCE\tSAYS NOTHING, SINCE\n"
	for _, p := range all {
		if p.Error != "" {
			fmt.Fprintf(w, "%s%s\t%s\t%s\n", title, printable(p.Node), printable(p.Instance), printable(p.Error))
			title = ""
		}
	}
}

func table(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

// share is what part of the requests a node gets, "disabled" where it gets none.
func share(n admin.Node) string {
	if n.Weight == 0 {
		return "disabled"
	}
	return strconv.FormatFloat(n.Percent, 'f', 1, 64) + "%"
}

func orAny(words []string) string {
	if len(words) == 0 {
		return "any"
	}
	return strings.Join(words, ",")
}

func placeText(p *admin.Place) string {
	if p == nil {
		return ""
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

// printable keeps free text from moving the cursor or breaking the table.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
