// swift-tools-version: 6.2
import PackageDescription

/// The rules of the product, and the instrumentation that libFuzzer steers by.
///
/// The dependencies are instrumented as well when the package is built with `--sanitize fuzzer`.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let collections = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")

/// Lets a fuzzer reach what the product keeps to its target.
let testable: [SwiftSetting] = strict + [.unsafeFlags(["-enable-testing"])]

// The parsers' sources are links to those of the product: `package` access ends at the package, and a fuzzer of a
// public wrapper would fuzz the wrapper.
let package = Package(
    name: "cortex-fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .target(
            name: "CortexSpec",
            dependencies: [.product(name: "Yams", package: "Yams")],
            swiftSettings: strict
        ),
        .target(name: "CortexWire", dependencies: [nioCore], swiftSettings: strict),
        .target(name: "Wire", dependencies: ["CortexSpec", "CortexWire", nioCore], swiftSettings: strict),
        .target(
            name: "CortexTelemetry",
            dependencies: ["CortexSpec", logging, nioCore],
            swiftSettings: strict
        ),
        .systemLibrary(name: "CZlib"),
        .target(
            name: "CortexGateway",
            dependencies: [
                "CZlib", "CortexSpec", "CortexTelemetry", collections, crypto, logging, nioCore, nioHTTP1, nioHTTP2,
                nioPosix, nioSSL, nioTLS,
            ],
            swiftSettings: testable
        ),
        .executableTarget(name: "fuzz-config", dependencies: ["CortexSpec"], swiftSettings: strict),
        .executableTarget(name: "fuzz-frames", dependencies: ["CortexWire", "Wire", nioCore], swiftSettings: strict),
        .executableTarget(
            name: "fuzz-http",
            dependencies: ["CortexGateway", "CortexSpec", "CortexTelemetry", nioCore, nioEmbedded, nioHTTP1],
            swiftSettings: strict
        ),
    ]
)
