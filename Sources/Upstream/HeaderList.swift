import CCurl
import NIOHTTP1

/// The header lines of one request in the form that libcurl wants, in one piece of memory that the next request reuses.
///
/// `curl_slist_append` would cost two allocations a line. libcurl reads the list while the transfer runs and does not
/// copy it (CURLOPT_HTTPHEADER), so it must stay in place until the transfer has ended.
struct HeaderList: ~Copyable {
    private var text: UnsafeMutablePointer<CChar>
    private var textCapacity = 256
    private var nodes: UnsafeMutablePointer<curl_slist>
    private var nodeCapacity = 8

    init() {
        text = .allocate(capacity: textCapacity)
        nodes = .allocate(capacity: nodeCapacity)
    }

    deinit {
        text.deallocate()
        nodes.deallocate()
    }

    /// Writes the lines and returns the list; valid until the next call.
    ///
    /// - Parameters:
    ///   - headers: What to send.
    ///   - body: Says what libcurl does about `Expect`; `nil` for a request without a body.
    /// - Returns: The list.
    mutating func fill(
        _ headers: HTTPHeaders, for body: UpstreamRequest.Body? = nil
    ) -> UnsafeMutablePointer<curl_slist> {
        // Without a header of its own, libcurl would send `Accept: */*`: "Accept:" without a value forbids that.
        var extra = headers.contains(name: "accept") ? [] : ["Accept:"]
        // And of a body over 1 MiB it would ask whether it is wanted.
        if let body { extra.append(body.asksFirst ? "Expect: 100-continue" : "Expect:") }
        let lines = headers.count + extra.count
        precondition(lines > 0, "a request names at least its host")
        let size = headers.reduce(40) { $0 + $1.name.utf8.count + $1.value.utf8.count + 3 }
        reserve(lines: lines, size: size)
        var line = 0
        var end = 0
        for (name, value) in headers {
            begin(line, at: end)
            end = append(name, at: end)
            // "Name;" is libcurl's way to say a header with an empty value.
            end = append(value.isEmpty ? ";" : ": ", at: end)
            end = append(value, at: end) + 1
            line += 1
        }
        for text in extra {
            begin(line, at: end)
            end = append(text, at: end) + 1
            line += 1
        }
        nodes[line - 1].next = nil
        return nodes
    }

    private mutating func reserve(lines: Int, size: Int) {
        if size > textCapacity {
            text.deallocate()
            textCapacity = size
            text = .allocate(capacity: size)
        }
        if lines > nodeCapacity {
            nodes.deallocate()
            nodeCapacity = lines
            nodes = .allocate(capacity: lines)
        }
    }

    private func begin(_ line: Int, at offset: Int) {
        nodes[line] = curl_slist(data: text + offset, next: nodes + line + 1)
    }

    /// Copies and terminates; the terminator is overwritten by what is appended to the same line.
    private func append(_ string: String, at offset: Int) -> Int {
        var string = string
        let end = string.withUTF8 { bytes in
            UnsafeMutableRawBufferPointer(start: text + offset, count: bytes.count).copyMemory(
                from: UnsafeRawBufferPointer(bytes))
            return offset + bytes.count
        }
        text[end] = 0
        return end
    }
}
