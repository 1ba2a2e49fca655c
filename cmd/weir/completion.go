package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

const completionLong = `Prints a script that completes weir's commands, flags and names in your shell.

To load it now, and in every shell that you start:

  bash        weir completion bash > ~/.local/share/bash-completion/completions/weir
  zsh         weir completion zsh > "${fpath[1]}/_weir"
  fish        weir completion fish > ~/.config/fish/completions/weir.fish
  powershell  weir completion powershell >> $PROFILE`

func (a *app) completionCommand() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:       "completion SHELL",
		Short:     "Print a completion script for a shell",
		Long:      completionLong,
		Example:   "  source <(weir completion bash)",
		ValidArgs: shells,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(cmd, fmt.Errorf("which shell? bash, zsh, fish or powershell"))
			}
			return atMost(cmd, args, 1, "one SHELL")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.stdout, true)
			case "zsh":
				return root.GenZshCompletion(a.stdout)
			case "fish":
				return root.GenFishCompletion(a.stdout, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(a.stdout)
			default:
				return usage(cmd, fmt.Errorf("unknown shell %q%s", args[0], suggestion(args[0], shells)))
			}
		},
	}
}
