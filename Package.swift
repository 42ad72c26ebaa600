// swift-tools-version: 6.2
import PackageDescription

/// Warnings are errors; nothing is imported or exported by accident (SE-0335, SE-0409, SE-0444).
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioLocks: Target.Dependency = .product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

// A target may import only targets that are listed before it. Neither Upstream nor Downstream imports the other.
let package = Package(
    name: "weir",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-structured-headers", exact: "1.7.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        .target(name: "HTTPText", swiftSettings: strict),
        .target(name: "Flow", dependencies: ["HTTPText"], swiftSettings: strict),
        .target(name: "CSimdJSON", linkerSettings: [.linkedLibrary("simdjson")]),
        .target(name: "JSONPointer", dependencies: ["CSimdJSON", "Flow"], swiftSettings: strict),
        .target(name: "Settings", dependencies: ["Flow", "HTTPText", "Yams"], swiftSettings: strict),
        .target(name: "Observability", dependencies: ["Flow", "HTTPText", logging, nioLocks], swiftSettings: strict),
        .target(name: "CZlib", linkerSettings: [.linkedLibrary("z")]),
        .target(
            name: "LogReport", dependencies: ["CSimdJSON", "CZlib", "Flow", "HTTPText", "Observability", "PlainText"],
            swiftSettings: strict),
        .target(name: "PlainText", swiftSettings: strict),
        .target(name: "LiveScreen", dependencies: ["HTTPText", "PlainText"], swiftSettings: strict),
        .target(name: "Planning", dependencies: ["Flow", "PlainText", "Settings"], swiftSettings: strict),
        .target(name: "CNghttp2", linkerSettings: [.linkedLibrary("nghttp2")]),
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(
            name: "Upstream", dependencies: ["CCurl", "Flow", "HTTPText", nio, nioHTTP1, nioPosix],
            swiftSettings: strict),
        .target(
            name: "Downstream",
            dependencies: ["Flow", "HTTPText", "CNghttp2", nio, nioHTTP1, nioLocks, nioPosix, nioSSL, nioTLS],
            swiftSettings: strict),
        .target(
            name: "OTLP", dependencies: ["Flow", "HTTPText", "Observability", nioLocks], swiftSettings: strict),
        .target(name: "Redis", dependencies: [nio, nioPosix, nioSSL], swiftSettings: strict),
        .target(
            name: "Proxy",
            dependencies: [
                "CZlib", "Flow", "HTTPText", "JSONPointer", "Settings", "Observability", "OTLP", "Upstream",
                "Downstream", "Redis",
                nio, nioHTTP1, nioLocks, nioPosix, nioSSL, logging,
                .product(name: "RawStructuredFieldValues", package: "swift-http-structured-headers"),
            ],
            swiftSettings: strict),
        .target(
            name: "Admin",
            dependencies: [
                "Flow", "HTTPText", "Settings", "Observability", "Downstream", "Proxy", nio, nioHTTP1,
            ],
            resources: [
                .embedInCode("Resources/live.html"), .embedInCode("Resources/live.css"),
                .embedInCode("Resources/live.js"), .embedInCode("Resources/openapi.json"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "weir",
            dependencies: [
                "CCurl", "Flow", "Settings", "Observability", "PlainText", "LogReport", "LiveScreen", "Planning",
                "Upstream",
                "Downstream",
                "Proxy", "Admin", nio, nioHTTP1, nioPosix, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        // Fakes and tools that several test targets share.
        .target(
            name: "TestSupport", dependencies: ["Flow", "Downstream", nio, nioHTTP1, nioPosix], path: "Tests/Support",
            swiftSettings: strict),
        .testTarget(name: "HTTPTextTests", dependencies: ["HTTPText"], swiftSettings: strict),
        .testTarget(name: "FlowTests", dependencies: ["Flow", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "JSONPointerTests", dependencies: ["JSONPointer", "Flow", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "SettingsTests", dependencies: ["Settings", "Flow", "HTTPText", "TestSupport"], exclude: ["Golden"],
            swiftSettings: strict),
        .testTarget(
            name: "ObservabilityTests", dependencies: ["Observability", "Flow", logging, "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "OTLPTests", dependencies: ["OTLP", "Flow", "Observability", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "LogReportTests", dependencies: ["LogReport", "CZlib", "Flow", "Observability", "TestSupport"],
            swiftSettings: strict),
        .testTarget(name: "PlainTextTests", dependencies: ["PlainText"], swiftSettings: strict),
        .testTarget(name: "PlanningTests", dependencies: ["Planning", "Flow", "Settings"], swiftSettings: strict),
        .testTarget(name: "LiveScreenTests", dependencies: ["LiveScreen"], swiftSettings: strict),
        .testTarget(
            name: "UpstreamTests", dependencies: ["Upstream", "Flow", nio, nioHTTP1, nioPosix, "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "DownstreamTests",
            dependencies: [
                "Downstream", "Flow", "HTTPText", "CNghttp2", nio, nioHTTP1, nioPosix, nioEmbedded, nioSSL,
                "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "RedisTests", dependencies: ["Redis", nio, nioLocks, nioPosix, nioEmbedded, "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "ProxyTests",
            dependencies: [
                "Proxy", "Flow", "HTTPText", "Settings", "Observability", "Upstream", "Downstream", nio, nioHTTP1,
                logging, nioEmbedded, nioLocks, nioPosix, "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "AdminTests",
            dependencies: [
                "Admin", "Proxy", "Flow", "HTTPText", "Settings", "Observability", "Downstream", nio, nioHTTP1,
            ],
            swiftSettings: strict),
        // The fleet of replicas in virtual time, and the program that runs thousands of them.
        .target(
            name: "Simulation", dependencies: ["Flow", "Planning", "TestSupport"], path: "Tests/Simulation/Fleet",
            swiftSettings: strict),
        .executableTarget(
            name: "weir-simulation", dependencies: ["Simulation"], path: "Tests/Simulation/Driver",
            swiftSettings: strict),
        .testTarget(
            name: "SimulationTests", dependencies: ["Simulation", "Flow", "TestSupport"],
            path: "Tests/Simulation/Tests", swiftSettings: strict),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Flow", "HTTPText", "JSONPointer", "Settings", "LogReport", "Upstream", "Downstream", "Redis", "Proxy",
                nio,
                nioHTTP1,
            ],
            path: "Tests/Fuzz/Targets", swiftSettings: strict),
        .testTarget(
            name: "CorpusTests", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Replay", swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)

// Only where libFuzzer, which has the main function, is linked as well: scripts/fuzz.
if Context.environment["WEIR_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "weir-fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Driver", swiftSettings: strict))
}
