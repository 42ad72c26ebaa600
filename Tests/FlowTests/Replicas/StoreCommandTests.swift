import Flow
import TestSupport
import Testing

@Suite struct StoreCommandTests {
    private static let key = StoreKey(.streams, route: "/")

    private static func contents() throws -> [StoreCommand.Content] {
        let starts = SharedLimit.starts(key, StartAllowance(rate: try .of("1/second"), burst: 2))
        let client = BreakerKey(route: "/", client: ClientKey("a"))
        let two = [starts, .streams(key, limit: 3)]
        return [
            .start(two, counts: [0, 1]), .refund(two), .counts(Array(repeating: .init(key: key, streams: 1), count: 3)),
            .shares(Array(repeating: .init(key: key, limit: 3, held: 1, demand: 2), count: 3)),
            .open(Array(repeating: .init(key: client, remaining: .seconds(1)), count: 3)), .repeatOpenings,
        ]
    }

    @Test func theCountsOfItsOperandsAreThoseThatItPasses() throws {
        for content in try Self.contents() {
            let command = StoreCommand(content, sequence: 1, replicas: 1), counts = command.operandCounts
            #expect(counts.keys == command.keys(prefix: "").count)
            #expect(counts.arguments == command.arguments(replica: "r").count)
        }
    }
}
