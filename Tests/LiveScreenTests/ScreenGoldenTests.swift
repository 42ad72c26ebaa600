import Testing

@testable import LiveScreen

/// Whole screens, as they are seen.
@Suite struct ScreenGoldenTests {
    @Test func aTerminalOfTheUsualSize() throws {
        let expected = """
            weir 0.1.0  ready  up 2h05m                            127.0.0.1:9090  12:03:07Z
            streams 1,204   records/s 12,003   bytes/s 3.10 MiB   breakers 2 not closed
            buffer [#######......................] 23 %  46,000 of 200,000 records, 12.3 MiB
            refused 308: slow-consumer 204, rate-limit 104

            route              streams  records/s   bytes/s  buffer  refused  last 5 min
            /v1/orders/stream    1,200     12,000  1.90 MiB  31,000      304               @
            /v1/orders/export        4       3.00  1.20 MiB  15,000        4               @
            /                        0       0.00       0 B       0        0               .

            breaker of             kind      state      half-open in  route
            10.0.0.7               client    open                17s  /v1/orders/stream
            http://127.0.0.1:3000  upstream  half-open             -  /v1/orders/stream

            slowest client  state        buffer  paused   open  route              records
            10.0.0.7        slow     100 of 100   4m05s  1h02m  /v1/orders/stream   12,003
            2001:db8::7     flowing    3 of 100      0s  1h02m  /v1/orders/stream   12,003






             q quit   ? help   p pause   < > order: as configured   Tab show: all
            """
        #expect(try seen(.showing(.busy), columns: 80, rows: 24) == expected)
    }

    /// As it is written once: as long as it takes, no trends, no keys.
    @Test func aWideTerminal() throws {
        let expected = """
            weir 0.1.0  ready  up 2h05m                                                                    127.0.0.1:9090  12:03:07Z
            streams 1,204   records/s 12,003   bytes/s 3.10 MiB   breakers 2 not closed
            buffer [#########...............................] 23 %  46,000 of 200,000 records, 12.3 MiB
            refused 308: slow-consumer 204, rate-limit 104

            route              streams  records/s   bytes/s  buffer  refused
            /v1/orders/stream    1,200     12,000  1.90 MiB  31,000      304
            /v1/orders/export        4       3.00  1.20 MiB  15,000        4
            /                        0       0.00       0 B       0        0

            breaker of             kind      state      half-open in  route
            10.0.0.7               client    open                17s  /v1/orders/stream
            http://127.0.0.1:3000  upstream  half-open             -  /v1/orders/stream

            slowest client  state        buffer  paused   open  route              records       rate
            10.0.0.7        slow     100 of 100   4m05s  1h02m  /v1/orders/stream   12,003  10/second
            2001:db8::7     flowing    3 of 100      0s  1h02m  /v1/orders/stream   12,003  10/second
            """
        #expect(try seen(.showing(.busy), columns: 120, rows: nil) == expected)
    }

    @Test func aSmallTerminal() throws {
        var draining = SnapshotText.busy
        (draining.state, draining.lastReload, draining.olderStreams) = ("draining", "refused", 17)
        let expected = """
            weir 0.1.0  draining  up 2h05m     127.0.0.1:9090  12:03:07Z
            streams 1,204   records/s 12,003   bytes/s 3.10 MiB   breake
            buffer [##.......] 23 %  46,000 of 200,000 records, 12.3 MiB
            refused 308: slow-consumer 204, rate-limit 104
            configuration 3: the last reload was refused; 17 streams fro

            route             streams  records/s   bytes/s  buffer
            /v1/ord../stream    1,200     12,000  1.90 MiB  31,000
            (2 more)

            breaker of        kind      state      half-open in
            (2 more)

            slowest client  state        buffer  paused   open
            (2 more)
             q quit   ? help   p pause   < > order: as configured   Tab
            """
        #expect(try seen(.showing(draining), columns: 60, rows: 16) == expected)
    }

    /// Without the spaces at the ends of lines, which are invisible.
    private func seen(_ screen: Screen, columns: Int, rows: Int?) -> String {
        screen.text(columns: columns, rows: rows).map { line in
            String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }
}
