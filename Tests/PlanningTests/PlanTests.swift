import Flow
import Foundation
import Settings
import Testing

@testable import Planning

/// What a load reaches, by the machines of the proxy in virtual time.
@Suite struct PlanTests {
    private func route(_ keys: String = "", top: String = "") throws -> PlannedRoute {
        let text = "\(top)\nroutes:\n  - match: /\n    upstream: http://o\n    \(keys)\n"
        let configuration = try Configuration.parse(text, file: "proxy.conf", environment: [:])
        return PlannedRoute(configuration.routes[0], of: configuration, cores: 2)
    }

    private func load(_ clients: Int, _ rate: Double, _ change: (inout Load) -> Void = { _ in }) -> Load {
        var load = Load(clients: clients, rate: rate)
        change(&load)
        return load
    }

    @Test func aLoadThatReachesNothing() throws {
        let plan = try Plan.of(load(100, 20), on: try route())
        #expect(plan.reached.isEmpty && plan.first == nil)
        #expect(plan.openStreams.peak == 100 && plan.admitted == 100 && plan.rejected == 0 && plan.descriptors == 200)
        #expect(abs(plan.records.last - 2000) < 40 && abs(plan.bytes.last - 512_000) < 10_000)
        #expect(plan.buffered.peak == 0)
        #expect(
            plan.memory.peak == UnitCosts.measured.process + 100 * UnitCosts.measured.stream)
        let work = UnitCosts.measured.read + UnitCosts.measured.write
        #expect(abs(plan.cpu.last - 2000 * work / 1e6) < 0.05 * plan.cpu.last)
    }

    @Test func theRoutesSlotsAreTaken() throws {
        let plan = try Plan.of(load(10, 1) { $0.arrivals = 1 }, on: try route("streams: { per_route: 4 }"))
        #expect(plan.first?.limit == "streams.per_route" && plan.first?.effect == .rejects)
        #expect(plan.first?.after == .seconds(4) && plan.first?.count == 6)
        #expect(plan.admitted == 4 && plan.rejected == 6 && plan.openStreams.last == 4)
    }

    @Test(arguments: [
        ("streams: { per_client: 2 }", "", "streams.per_client"),
        ("streams: { starts: 1/hour, starts_burst: 2 }", "", "streams.starts"),
        ("upstream_streams: 20", "", "upstream_streams"),
        ("framing: auto", "limits: { max_streams: 20 }", "limits.max_streams"),
        ("framing: auto", "limits: { max_connections: 20 }", "limits.max_connections"),
    ]) func eachLimitOnStreamsIsNamed(keys: String, top: String, limit: String) throws {
        let plan = try Plan.of(load(10, 1) { $0.streamsPerClient = 3 }, on: try route(keys, top: top))
        #expect(plan.first?.limit == limit && plan.admitted == 20 && plan.rejected == 10)
    }

    @Test func recordsWaitForThePaceAndTheBufferFills() throws {
        let plan = try Plan.of(
            load(10, 100), on: try route("rate: 2/second\n    buffer: { default: 50 }"))
        #expect(plan.first == nil)
        #expect(plan.reached.map(\.limit) == ["rate", "buffer"] && plan.reached.allSatisfy { $0.count == 10 })
        #expect(abs(plan.records.last - 20) < 2)
        // A read brings at most 64 records more than the buffer has room for.
        #expect((10.0 * 50 * 256...10.0 * 114 * 256).contains(plan.buffered.peak))
    }

    @Test func aClientThatDoesNotReadIsEndedAfterItsSocketsAreFull() throws {
        let plan = try Plan.of(
            load(10, 100) {
                ($0.slowPart, $0.record, $0.sockets) = (0.5, .kibibytes(1), .kibibytes(200))
            }, on: try route("stall_timeout: 5s"))
        #expect(plan.first?.limit == "stall_timeout" && plan.first?.count == 5)
        let after = try #require(plan.first).after
        // 2 s until the sockets are full, the timeout, and at most an eighth of it.
        #expect((.seconds(7) ... .milliseconds(8700)).contains(after))
        #expect(plan.openStreams.last == 5 && plan.buffered.peak >= 5 * 100 * 1024)
    }

    @Test func aClientThatReadsSlowlyButSteadilyIsSlowWhenItsBufferStaysFull() throws {
        let plan = try Plan.of(
            load(2, 100) { ($0.slowPart, $0.slowRate, $0.sockets) = (1, 5, .kibibytes(16)) },
            on: try route("stall_timeout: 5s"))
        #expect(plan.first?.limit == "stall_timeout")
        let kept = try Plan.of(
            load(2, 10) { ($0.slowPart, $0.slowRate, $0.sockets) = (1, 20, .kibibytes(16)) },
            on: try route("stall_timeout: 5s"))
        #expect(kept.first == nil && kept.openStreams.last == 2)
    }

    @Test func theStreamsOfAClientShareItsBudget() throws {
        let plan = try Plan.of(
            load(5, 100) { $0.streamsPerClient = 2 }, on: try route("streams: { client_records: 50/second }"))
        #expect(plan.reached.contains { $0.limit == "streams.client_records" && $0.effect == .slows })
        #expect(abs(plan.records.last - 250) < 15)
    }

    @Test func aTierHasItsOwnLimits() throws {
        let keys = """
            streams: { per_client: 1 }
                client_tier: { header: X-Tier }
                tiers: { gold: { streams: { per_client: 3 } } }
            """
        var load = load(10, 1) { $0.streamsPerClient = 4 }
        #expect(try Plan.of(load, on: try route(keys)).admitted == 10)
        load.tier = "gold"
        #expect(try Plan.of(load, on: try route(keys)).admitted == 30)
    }

    @Test func fullBuffersReachTheirCeiling() throws {
        let plan = try Plan.of(
            load(400, 1000) { ($0.arrivals, $0.record) = (10, .kibibytes(8)) },
            on: try route("rate: 1/minute\n    stall_timeout: off", top: "limits: { max_buffer_bytes: 64MiB }"))
        #expect(plan.first?.limit == "limits.max_buffer_bytes")
        #expect(plan.buffered.peak < 72 * 1_048_576)
    }

    @Test func droppedRecordsAreReported() throws {
        let plan = try Plan.of(
            load(1, 100), on: try route("rate: 1/second\n    overflow: drop_oldest\n    buffer: { default: 10 }"))
        #expect(plan.first?.limit == "overflow" && plan.first?.effect == .drops)
    }

    @Test func whatTheRouteRejectsHasNoPlan() throws {
        var load = load(1, 1)
        load.requested = Rate("50/second")
        let route = try route("rate: 10/second\n    over_limit: reject")
        #expect(throws: PlanError.self) { _ = try Plan.of(load, on: route) }
    }

    @Test func theJSONHasEveryFigure() throws {
        let route = try route("streams: { per_route: 4 }"), load = load(10, 1)
        let plan = try Plan.of(load, on: route)
        let json = try #require(
            JSONSerialization.jsonObject(with: Data(plan.json(for: load, on: route))) as? [String: Any])
        #expect(json["first"] as? String == "streams.per_route")
        #expect((json["memoryBytes"] as? [String: Double])?.keys.sorted() == ["last", "mean", "peak"])
        #expect((json["reached"] as? [[String: Any]])?.first?["count"] as? Int == 6)
        let lines = plan.lines(for: load, on: route, width: 80)
        #expect(lines.contains("First: streams.per_route.") && lines.allSatisfy { $0.utf8.allSatisfy { $0 < 0x7F } })
    }
}
