import ArgumentParser

/// `cortex completion SHELL`: a script that a shell reads to complete commands.
struct CompletionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion",
        abstract: "Print the completion script of a shell: bash, zsh or fish.",
        discussion: """
            Examples:
              source <(cortex completion bash)
              cortex completion zsh > ~/.zfunc/_cortex
              cortex completion fish > ~/.config/fish/completions/cortex.fish
            """
    )

    /// The shells that there is a script for.
    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash, zsh, fish
    }

    @Argument(help: "bash, zsh or fish.")
    var shell: Shell

    func run() throws {
        let shell: CompletionShell =
            switch self.shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        Console.standard.print(CortexCommand.completionScript(for: shell))
    }
}
