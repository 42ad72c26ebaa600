import Flow
import Foundation
import Simulation
import TestSupport
import Testing

/// The scripts in a Redis server and their model give the same replies, call by call.
@Suite(.enabled(if: RedisServer.isInstalled)) struct StoreModelTests {
    @Test(arguments: 0..<2) func theModelIsTheScripts(seed: Int) throws {
        let server = try RedisServer()
        defer { server.stop() }
        var random = SeededGenerator(seed: seed), model = StoreModel()
        let replicas = ["a", "b", "c"]
        for sequence in 1...100 {
            let command = StoreCommand(
                Self.content(using: &random), sequence: Int64(sequence - Int.random(in: 0...2, using: &random)),
                replicas: 3)
            let replica = replicas.randomElement(using: &random) ?? "a"
            let reply = try server.run(command, replica: replica)
            let now = try #require(reply.first)
            #expect(model.run(command, of: replica, at: now) == reply)
            guard case .open = command.content else { continue }
            let kept = model.openings(at: now).flatMap { [$0.key.text, "\($0.end)"] }
            #expect(try server.openings() == kept)
        }
    }

    private static func content(using random: inout SeededGenerator) -> StoreCommand.Content {
        let clients = ["a", "b"].map { ClientKey($0) }
        func key(_ kind: StoreKey.Kind) -> StoreKey {
            StoreKey(kind, route: "/", client: clients.randomElement(using: &random) ?? clients[0])
        }
        let fast = Rate(Int.random(in: 20...200, using: &random), per: .second)
        let allowances = [fast, Rate(1, per: .hour)].compactMap { $0.map { StartAllowance(rate: $0, burst: 20) } }
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1, 2:
            return .start(
                [
                    .streams(key(.streams), limit: 9), .starts(key(.starts), allowances[0]),
                    .starts(StoreKey(.starts, route: "hour"), allowances[1]),
                ], counts: [Int.random(in: 1...5, using: &random), 0, 0])
        case 3: return .refund([.starts(key(.starts), allowances[0])])
        case 4:
            return .counts([
                ReplicaSlots.Count(key: key(.streams), streams: Int.random(in: 0...4, using: &random)),
                ReplicaSlots.Count(key: .replicas, streams: 1),
            ])
        case 5:
            // One stays open: the server removes the set once all have ended, however late that is read.
            return .open(
                (clients + [ClientKey("open")]).enumerated().map { index, client in
                    let longest: Int64 = index < clients.count ? 400_000 : 3600_000_000
                    return SharedBreakers.Opening(
                        key: BreakerKey(route: "/", client: client),
                        remaining: .microseconds(Int64.random(in: max(1, longest - 400_000)...longest, using: &random)))
                })
        case 6: return .repeatOpenings
        default:
            return .shares(
                ["a", "b"].map { client -> RateShare.Request in
                    // A whole second passes between the calls of a rate only if it is slow: the other has all its credit.
                    let limit: Int64 = client == "a" ? 1_000_000_000_000 : 400_000
                    return RateShare.Request(
                        key: StoreKey(.shares, route: "/", client: ClientKey(client)), limit: limit,
                        held: [0, Int64.random(in: 0...limit * 6 / 10, using: &random)].randomElement(using: &random)
                            ?? 0,
                        demand: [0, limit / 5, limit].randomElement(using: &random) ?? 0,
                        unused: [0, Int64.random(in: 0...limit, using: &random)].randomElement(using: &random) ?? 0)
                })
        }
    }
}

/// A Redis server of the test, on a socket of its own, without persistence.
private struct RedisServer {
    private struct NoReply: Error {
        let text: String
    }

    private static let server = path(of: "redis-server")
    private static let client = path(of: "redis-cli")

    /// `scripts/setup` puts only one of them into `/usr/local/bin`.
    private static func path(of program: String) -> String? {
        ["/usr/local/bin/", "/usr/bin/"].map { $0 + program }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    static var isInstalled: Bool { server != nil && client != nil }

    private let folder: URL
    private let process = Process()
    private var socket: String { folder.appendingPathComponent("socket").path }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "weir-redis-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        process.executableURL = URL(fileURLWithPath: Self.server ?? "")
        process.arguments = [
            "--port", "0", "--unixsocket", folder.appendingPathComponent("socket").path, "--save", "", "--dir",
            folder.path,
        ]
        (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
        try process.run()
        // `redis-cli` itself takes some milliseconds for each try.
        for _ in 0..<2000 {
            if try output(["PING"]).hasPrefix("PONG") { return }
        }
        throw NoReply(text: "the server did not start")
    }

    func stop() {
        // It has inherited the signal mask of a thread of the tests, which may block all others.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    func run(_ command: StoreCommand, replica: String) throws -> [Int64] {
        let keys = command.keys(prefix: "weir:")
        let text = try output(
            ["EVAL", command.script.lua, "\(keys.count)"] + keys + command.arguments(replica: replica))
        let integers = text.split(separator: "\n").compactMap { Int64($0) }
        guard !integers.isEmpty else { throw NoReply(text: text) }
        return integers
    }

    /// The open breakers and their ends, the first one first.
    func openings() throws -> [String] {
        try output(["ZRANGE", "weir:breakers:", "0", "-1", "WITHSCORES"]).split(separator: "\n").map(String.init)
    }

    private func output(_ arguments: [String]) throws -> String {
        let client = Process(), pipe = Pipe()
        client.executableURL = URL(fileURLWithPath: Self.client ?? "")
        client.arguments = ["-s", socket] + arguments
        (client.standardOutput, client.standardError) = (pipe, pipe)
        try client.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        client.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}
