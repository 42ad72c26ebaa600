// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that weir itself needs neither jsmn nor Foundation.
let package = Package(
    name: "keys",
    targets: [
        .target(name: "CSimdJSON", linkerSettings: [.linkedLibrary("simdjson")]),
        .target(name: "Peers"),
        .executableTarget(name: "keys", dependencies: ["CSimdJSON", "Peers"]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
