package import CortexTelemetry

/// How to start the workers of one version of an API.
package struct WorkerLaunch: Sendable {
    /// The interpreter of the API's environment.
    package var python: String
    /// The unpacked worker (`WorkerPackage.unpack`).
    package var package: String
    /// The Unix socket to connect to.
    package var socket: String
    /// The whole environment of the process, the secret apart.
    package var environment: [String: String]
    /// What the worker at an index of its replica has in its environment besides.
    package var environmentByWorker: [[String: String]] = []
    package var welcome: WelcomeMessage
    package var models: ModelDesk
    /// Takes what the predictors count themselves.
    package var userMetrics: UserMetrics
    /// Looks at a worker that has built its predictor, before it counts as ready; may end it (`Replica.end`).
    package var inspect: @Sendable () async -> Void = {}

    package init(
        python: String,
        package: String,
        socket: String,
        environment: [String: String],
        welcome: WelcomeMessage,
        models: ModelDesk = .none,
        userMetrics: UserMetrics = UserMetrics()
    ) {
        self.python = python
        self.package = package
        self.socket = socket
        self.environment = environment
        self.welcome = welcome
        self.models = models
        self.userMetrics = userMetrics
    }
}
