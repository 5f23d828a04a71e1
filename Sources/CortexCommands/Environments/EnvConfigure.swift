import ArgumentParser
import CortexControlPlane
import Foundation

/// `cortex env configure NAME`: adds an environment, or changes one.
struct EnvConfigure: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "configure",
        abstract: "Add an environment, or change it.",
        discussion: """
            On a terminal, asks for what is not given. The operator must answer, unless --no-check is given.

            Examples:
              cortex env configure prod --operator-endpoint https://cortex.example.com --token-file token
              pass show cortex | cortex env configure prod --operator-endpoint localhost:9000 --token -
              cortex env configure prod --namespace cortex --context prod --token-file token
            """
    )

    @Argument(help: "The environment's name.")
    var name: String

    @Option(help: "The operator's address: https://HOST[:PORT], or http://localhost:PORT.")
    var operatorEndpoint: String?

    @Option(
        name: [.customShort("n"), .long],
        help: "Instead of an address: the namespace of an installation on a cluster, which kubectl reaches."
    )
    var namespace: String?

    @Option(help: "With --namespace: the context of the kubeconfig (default: its current one).")
    var context: String?

    @Option(help: "With --namespace: the kubeconfig file (default: KUBECONFIG, else ~/.kube/config).")
    var kubeconfig: String?

    @Option(help: "A file that holds the token.", completion: .file())
    var tokenFile: String?

    @Option(
        help: "Only -, which reads the token from standard input: a token on the command line could be seen by others."
    )
    var token: String?

    @Flag(inversion: .prefixedNo, help: "Ask the operator whether it takes the token, before anything is kept.")
    var check = true

    func validate() throws {
        guard self.token == nil || self.token == "-" else {
            throw ValidationError(
                "--token takes only -, for standard input: a token on the command line can be seen by others"
            )
        }
        guard self.token == nil || self.tokenFile == nil else {
            throw ValidationError("give one of --token and --token-file")
        }
        guard self.namespace == nil || self.operatorEndpoint == nil else {
            throw ValidationError("give one of --operator-endpoint and --namespace")
        }
        guard self.namespace != nil || (self.context == nil && self.kubeconfig == nil) else {
            throw ValidationError("--context and --kubeconfig are for --namespace")
        }
        try ClusterOptions.check(namespace: self.namespace)
    }

    func run() async throws {
        let console = Console.standard
        let name = try EnvironmentName(self.name)
        guard name != .local else {
            throw CommandFailure(
                "local is the server of this machine, and needs no configuration",
                hint: "choose another name; see cortex env list",
                exitCode: 2
            )
        }
        var file = try EnvironmentFile(home: CortexHome(environment: ProcessInfo.processInfo.environment))
        let known = file.entry(name)
        let prompt = Prompt(console: console)
        let place = try await self.place(known: known, prompt: prompt)
        // A cluster's token is of no use elsewhere, and is not shown there.
        let isOfSameKind = (known?.place.cluster == nil) == (place.cluster == nil)
        let token = try self.secret(known: isOfSameKind ? known : nil, prompt: prompt)
        let entry = EnvironmentFile.Entry(name: name, place: place, token: token)
        if self.check { _ = try await entry.connect() }
        file.set(entry)
        try file.save()
        console.print("configured the environment \(name)")
        if file.defaultName != name { console.note("make it the default: cortex env default \(name)") }
    }

    private func place(known: EnvironmentFile.Entry?, prompt: Prompt?) async throws -> OperatorPlace {
        if let namespace = self.namespace {
            let kubectl = try Kubectl(context: self.context, kubeconfig: self.kubeconfig)
            return .cluster(try await kubectl.location(namespace: namespace))
        }
        if let place = known?.place, place.cluster != nil, self.operatorEndpoint == nil { return place }
        return .endpoint(try self.endpoint(known: known?.place.endpoint, prompt: prompt))
    }

    private func endpoint(known: OperatorEndpoint?, prompt: Prompt?) throws(CommandFailure) -> OperatorEndpoint {
        if let text = self.operatorEndpoint { return try OperatorEndpoint(text) }
        guard let prompt else {
            if let known { return known }
            throw Self.missing("--operator-endpoint URL", "the operator's address")
        }
        let answer = prompt.ask("operator endpoint" + (known.map { " [\($0)]" } ?? "")) ?? ""
        if answer.isEmpty, let known { return known }
        return try OperatorEndpoint(answer)
    }

    private func secret(known: EnvironmentFile.Entry?, prompt: Prompt?) throws(CommandFailure) -> String {
        if let tokenFile = self.tokenFile {
            do {
                // A pipe is a file here too: --token-file <(pass show cortex)
                let data = try FileHandle(forReadingFrom: URL(filePath: tokenFile)).read(upToCount: 1 << 16)
                return try Self.checked(String(decoding: data ?? Data(), as: UTF8.self), of: tokenFile)
            } catch let failure as CommandFailure {
                throw failure
            } catch {
                throw CommandFailure("cannot read \(tokenFile): \(error.localizedDescription)")
            }
        }
        if self.token != nil { return try Self.checked(readLine() ?? "", of: "standard input") }
        // With a place given, an environment that is there keeps its token without a question.
        if let known, prompt == nil || self.operatorEndpoint != nil || self.namespace != nil { return known.token }
        guard let prompt else {
            throw Self.missing("--token-file FILE (or --token -, which reads standard input)", "the token")
        }
        let answer = prompt.ask("token" + (known == nil ? "" : " [unchanged]"), isSecret: true) ?? ""
        if answer.isEmpty, let known { return known.token }
        return try Self.checked(answer, of: "the answer")
    }

    /// A token goes into a header, where only visible ASCII is allowed.
    private static func checked(_ text: String, of source: String) throws(CommandFailure) -> String {
        let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !token.isEmpty else { throw CommandFailure("\(source) holds no token", exitCode: 2) }
        guard token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), token.utf8.count <= 4096 else {
            throw CommandFailure(
                "\(source) holds something that is no token: one word of ASCII is expected",
                exitCode: 2
            )
        }
        return token
    }

    private static func missing(_ flag: String, _ what: String) -> CommandFailure {
        CommandFailure("\(what) is not given, and there is no terminal to ask on", hint: "give \(flag)", exitCode: 2)
    }
}
