// swift-tools-version: 6.2
import PackageDescription

/// One set of rules for every target: what compiles with a warning does not compile.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let collections = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "cortex",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        // Each target may import only what stands above it (and what its `dependencies` name); `make check` enforces it.
        .target(name: "CortexSpec", dependencies: [yams], swiftSettings: strict),
        // What a file is: `stat`, in a form that Swift sees in one module only.
        .target(name: "CFileStatus"),
        // How much freed memory the C library keeps.
        .target(name: "CMemory"),
        .target(
            name: "CortexTelemetry",
            dependencies: ["CFileStatus", "CortexSpec", logging, nioCore],
            swiftSettings: strict
        ),
        .target(name: "CortexWire", dependencies: [nioCore], swiftSettings: strict),
        .target(
            name: "CortexModels",
            dependencies: [
                "CFileStatus", "CortexSpec", "CortexTelemetry", "CortexWire", crypto, logging, nioCore, nioPosix,
                subprocess,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "CortexServing",
            dependencies: [
                "CFileStatus", "CortexSpec", "CortexTelemetry", "CortexWire", collections, logging, nioCore, nioPosix,
                subprocess,
            ],
            swiftSettings: strict,
            plugins: ["EmbedWorker"]
        ),
        // gzip: the system's, which Foundation links too.
        .systemLibrary(name: "CZlib"),
        .target(
            name: "CortexGateway",
            dependencies: [
                "CFileStatus", "CMemory", "CZlib", "CortexSpec", "CortexTelemetry", collections, crypto, logging,
                nioCore, nioHTTP1, nioHTTP2, nioPosix, nioSSL, nioTLS,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "CortexControlPlane",
            dependencies: [
                "CFileStatus", "CortexSpec", "CortexTelemetry", crypto, grdb, httpTypes, hummingbird, lifecycle,
                logging, nioCore,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "CortexLocalProvider",
            dependencies: [
                "CFileStatus", "CortexControlPlane", "CortexGateway", "CortexModels", "CortexServing", "CortexSpec",
                "CortexTelemetry", crypto, logging, nioCore, nioHTTP1, nioPosix, subprocess,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "CortexKubernetes",
            dependencies: [
                "CortexSpec", "CortexTelemetry", asyncHTTPClient, crypto, logging, nioCore, nioHTTP1, nioSSL,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "CortexKubernetesProvider",
            dependencies: [
                "CortexControlPlane", "CortexKubernetes", "CortexSpec", "CortexTelemetry", crypto, logging, nioCore,
            ],
            swiftSettings: strict
        ),
        // Requests to the replicas of other machines; knows no Kubernetes.
        .target(
            name: "CortexNetwork",
            dependencies: [
                "CortexGateway", "CortexSpec", "CortexTelemetry", collections, logging, nioCore, nioHTTP1, nioPosix,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "CortexCommands",
            dependencies: [
                "CFileStatus", "CortexControlPlane", "CortexGateway", "CortexKubernetes", "CortexKubernetesProvider",
                "CortexLocalProvider", "CortexModels", "CortexNetwork", "CortexServing", "CortexSpec",
                "CortexTelemetry", argumentParser, asyncHTTPClient, hummingbird, lifecycle, logging, nioCore, nioHTTP1,
                nioPosix, signals, subprocess,
            ],
            swiftSettings: strict
        ),
        .executableTarget(name: "cortex", dependencies: ["CortexCommands"], swiftSettings: strict),

        .testTarget(name: "CortexSpecTests", dependencies: ["CortexSpec"], swiftSettings: strict),
        .testTarget(
            name: "CortexControlPlaneTests",
            dependencies: ["CortexControlPlane", "CortexSpec", asyncHTTPClient, httpTypes, logging, nioCore, nioHTTP1],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CortexCommandsTests",
            dependencies: [
                "CortexCommands", "CortexControlPlane", "CortexKubernetes", "CortexSpec", argumentParser, nioCore,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CortexLocalProviderTests",
            dependencies: ["CortexControlPlane", "CortexLocalProvider", "CortexSpec", nioCore],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CortexTelemetryTests",
            dependencies: ["CortexSpec", "CortexTelemetry", nioCore],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CortexServingTests",
            dependencies: ["CortexServing", "CortexSpec", "CortexWire", logging, nioCore, nioPosix],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CortexModelsTests",
            dependencies: ["CortexModels", "CortexSpec", "CortexWire", logging, nioCore, nioPosix],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CortexGatewayTests",
            dependencies: ["CortexGateway", "CortexSpec", "CortexTelemetry", nioCore, nioEmbedded],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CortexKubernetesTests",
            dependencies: [
                "CortexControlPlane", "CortexKubernetes", "CortexKubernetesProvider", "CortexSpec", hummingbird,
                httpTypes, logging, nioCore,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CortexNetworkTests",
            dependencies: [
                "CortexGateway", "CortexNetwork", "CortexSpec", nioCore, nioEmbedded, nioHTTP1, nioPosix,
            ],
            swiftSettings: strict
        ),

        // The worker's Python sources become a Swift constant, so that the binary needs no file beside it.
        .executableTarget(name: "embed-worker", swiftSettings: strict),
        .plugin(name: "EmbedWorker", capability: .buildTool(), dependencies: ["embed-worker"]),
    ]
)
