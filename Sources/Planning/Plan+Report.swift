import Flow
import PlainText
import Settings

extension Plan {
    /// The plan as lines for a terminal.
    ///
    /// - Parameters:
    ///   - load: The load that was planned.
    ///   - route: The route.
    ///   - width: Of the screen, in characters.
    /// - Returns: Lines without line feeds, in printable ASCII.
    package func lines(for load: Load, on route: PlannedRoute, width: Int) -> [String] {
        var lines = [
            "route \(Printable.name(route.route.label)): \(Printable.count(load.clients, "client")) with "
                + "\(Printable.count(load.streamsPerClient, "stream")) each, \(Printable.rate(load.rate)) records/s of "
                + "\(Printable.bytes(load.record.bytes)) from the upstream, for \(load.duration.printable)",
            "granted: \(terms.pace.text), a buffer of \(Printable.count(terms.buffer)) records or "
                + Printable.bytes(terms.maximumBytes.bytes),
            "",
        ]
        lines += table.lines(width: width)
        lines += [
            "",
            "\(Printable.count(admitted)) streams admitted, \(Printable.count(rejected)) rejected; "
                + "\(Printable.count(descriptors)) descriptors for sockets; \(Printable.count(route.workers, "event loop"))",
            "",
        ]
        guard !reached.isEmpty else { return lines + ["No limit is reached."] }
        let limits = Table(
            title: "limit", names: reached.map(\.limit),
            columns: [
                .init(title: "after", cells: reached.map(\.after.printable)),
                .init(title: "effect", cells: reached.map(\.sentence), isText: true),
            ])
        lines += limits.lines(width: width)
        lines += ["", first.map { "First: \($0.limit)." } ?? "No limit rejects or ends a stream."]
        return lines
    }

    private var table: Table {
        let rows: [(name: String, figure: Figure, text: (Double) -> String)] = [
            ("open streams", openStreams, { Printable.count(Int($0.rounded())) }),
            ("memory", memory, { Printable.bytes(Int($0)) }),
            ("  buffered", buffered, { Printable.bytes(Int($0)) }),
            ("CPU, in cores", cpu, { Printable.rate($0) }),
            ("records/s", records, { Printable.rate($0) }),
            ("bytes/s", bytes, { Printable.bytes(Int($0)) }),
        ]
        return Table(
            title: "", names: rows.map(\.name),
            columns: [
                .init(title: "peak", cells: rows.map { $0.text($0.figure.peak) }),
                .init(title: "mean", cells: rows.map { $0.text($0.figure.mean) }),
                .init(title: "at the end", cells: rows.map { $0.text($0.figure.last) }),
            ])
    }

    /// One JSON object without a line feed.
    package func json(for load: Load, on route: PlannedRoute) -> [UInt8] {
        var json = JSONText(capacity: 1024)
        json.add("route", route.route.label)
        json.add("clients", load.clients)
        json.add("streamsPerClient", load.streamsPerClient)
        json.add("rate", terms.pace.text)
        json.add("buffer", terms.buffer)
        json.add("workers", route.workers)
        json.add("admitted", admitted)
        json.add("rejected", rejected)
        json.add("descriptors", descriptors)
        for (name, figure) in [
            ("openStreams", openStreams), ("memoryBytes", memory), ("bufferedBytes", buffered), ("cpuCores", cpu),
            ("recordsPerSecond", records), ("bytesPerSecond", bytes),
        ] {
            json.add(name, json: figure.json)
        }
        json.add("first", first?.limit ?? "none")
        json.add("reached", array: reached.map(\.json))
        return json.closed()
    }
}

extension Plan.Figure {
    fileprivate var json: [UInt8] {
        var json = JSONText()
        for (name, value) in [("peak", peak), ("mean", mean), ("last", last)] {
            json.add(name, (value * 1000).rounded() / 1000)
        }
        return json.closed()
    }
}

extension Plan.Reached {
    fileprivate var json: [UInt8] {
        var json = JSONText()
        json.add("limit", limit)
        json.add("effect", effect.rawValue)
        json.add("after", seconds: after)
        json.add("count", count)
        return json.closed()
    }

    /// What it does to the streams.
    fileprivate var sentence: String {
        let streams = Printable.count(count, "stream")
        return switch effect {
        case .rejects: "\(streams) rejected"
        case .ends: "\(streams) ended"
        case .drops: "records of \(streams) dropped"
        case .slows:
            switch limit {
            case "workers": "more CPU than the event loops have: \(streams) slower"
            case "buffer": "the upstreams of \(streams) paused"
            default: "records of \(streams) wait"
            }
        }
    }
}

extension Duration {
    fileprivate var printable: String { Printable.duration(Int(nanoseconds / 1000)) }
}
