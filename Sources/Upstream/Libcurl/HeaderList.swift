import CCurl
import Glibc
import HTTPText

/// The header lines of one request in the form that libcurl wants, in one piece of memory that the next request reuses.
///
/// `curl_slist_append` would cost two allocations a line, and NIO's `HTTPHeaders` on the way here as many again. libcurl reads
/// the list while the transfer runs and does not copy it (CURLOPT_HTTPHEADER): until that has ended it stays as it is.
package struct HeaderList: ~Copyable {
    private var text: UnsafeMutablePointer<CChar>
    private var textCapacity = 512
    private var end = 0
    private var nodes: UnsafeMutablePointer<curl_slist>
    private var nodeCapacity = 16
    private var count = 0
    private var hasAccept = false

    package init() {
        text = .allocate(capacity: textCapacity)
        nodes = .allocate(capacity: nodeCapacity)
    }

    deinit {
        text.deallocate()
        nodes.deallocate()
    }

    /// Adds a field, whatever is there of this name already.
    package mutating func add(_ name: String, _ value: String) {
        if name.utf8.count == 6, name.isField("accept") { hasAccept = true }
        beginLine()
        append(name)
        append(own: ": ")
        let valueStart = end
        append(value)
        endField(from: valueStart)
    }

    /// Adds a field of weir's own, other than `Accept`; the same, for fewer instructions.
    package mutating func add(own name: StaticString, _ value: String) {
        add(own: name) { $0.append(value) }
    }

    /// Adds a field of weir's own, other than `Accept`, whose value is appended in pieces.
    ///
    /// - Parameters:
    ///   - name: The field's.
    ///   - write: Appends the pieces, and does nothing else with the list.
    @inline(__always)
    package mutating func add(own name: StaticString, _ write: (inout HeaderList) -> Void) {
        beginLine()
        append(own: name)
        append(own: ": ")
        let valueStart = end
        write(&self)
        endField(from: valueStart)
    }

    /// Appends to the value of the field that is being added, whose text is a `FieldText`.
    package mutating func append(_ piece: String) {
        reserve(piece.utf8.count)
        end += FieldText.copy(piece, to: text + end)
    }

    /// Appends ASCII text of weir's own to the value of the field that is being added.
    package mutating func append(own piece: StaticString) {
        append(UnsafeRawBufferPointer(start: piece.utf8Start, count: piece.utf8CodeUnitCount))
    }

    /// Appends bytes of weir's own to the value of the field that is being added.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        reserve(bytes.count)
        UnsafeMutableRawBufferPointer(start: text + end, count: bytes.count).copyMemory(from: bytes)
        end += bytes.count
    }

    private mutating func endField(from valueStart: Int) {
        if end == valueStart {
            // "Name;" is libcurl's way to say a header with an empty value.
            end -= 2
            append(own: ";")
        }
        endLine()
    }

    /// The lines so far, without their ends; costs a copy.
    package var lines: [String] {
        (0..<count).map { line in
            let text: UnsafePointer<CChar> = UnsafePointer(nodes[line].data)
            return FieldText.string(UnsafeRawBufferPointer(start: text, count: strlen(text)))
        }
    }

    mutating func removeAll() { (end, count, hasAccept) = (0, 0, false) }

    /// Completes the list for libcurl.
    ///
    /// - Parameter body: Says what libcurl does about `Expect`; `nil` for a request without a body.
    /// - Returns: The list; valid until it is changed.
    mutating func complete(for body: UpstreamRequest.Body?) -> UnsafeMutablePointer<curl_slist> {
        // Without a header of its own, libcurl would send `Accept: */*`: "Accept:" without a value forbids that.
        if !hasAccept { addLine("Accept:") }
        // And of a body over 1 MiB it would ask whether it is wanted.
        if let body { addLine(body.asksFirst ? "Expect: 100-continue" : "Expect:") }
        precondition(count > 0, "a request names at least its host")
        for line in 1..<count { nodes[line - 1].next = nodes + line }
        nodes[count - 1].next = nil
        return nodes
    }

    private mutating func addLine(_ line: StaticString) {
        beginLine()
        append(own: line)
        endLine()
    }

    private mutating func beginLine() {
        if count == nodeCapacity {
            let wider = UnsafeMutablePointer<curl_slist>.allocate(capacity: 2 * nodeCapacity)
            wider.update(from: nodes, count: count)
            nodes.deallocate()
            (nodes, nodeCapacity) = (wider, 2 * nodeCapacity)
        }
        nodes[count] = curl_slist(data: text + end, next: nil)
        count += 1
    }

    private mutating func endLine() {
        reserve(1)
        text[end] = 0
        end += 1
    }

    @inline(__always)
    private mutating func reserve(_ bytes: Int) {
        if end + bytes > textCapacity { grow(by: bytes) }
    }

    private mutating func grow(by bytes: Int) {
        let capacity = max(2 * textCapacity, end + bytes)
        let wider = UnsafeMutablePointer<CChar>.allocate(capacity: capacity)
        wider.update(from: text, count: end)
        for line in 0..<count { nodes[line].data = wider + (nodes[line].data - text) }
        text.deallocate()
        (text, textCapacity) = (wider, capacity)
    }
}
