/// What waits to be done on an event loop, in the order in which it was requested.
///
/// It keeps its memory: the loop empties several of these for each record, and an array that is taken as a whole would be
/// allocated again each time.
struct WorkList<Element: AnyObject> {
    private var elements: [Element] = []
    /// The index of the next element; those before it have been taken.
    private var head = 0

    /// How many elements wait.
    ///
    /// A loop over this count ends also if each element that is taken adds another one.
    var count: Int { elements.count - head }
    var isEmpty: Bool { elements.count == head }

    /// - Complexity: Amortised O(1); the memory is at most twice that of the most elements that have waited.
    mutating func append(_ element: Element) {
        if head >= 16, head >= elements.count / 2 {
            elements.removeFirst(head)
            head = 0
        }
        elements.append(element)
    }

    func contains(_ element: Element) -> Bool { elements[head...].contains { $0 === element } }

    /// Takes the first element; `nil` if there is none.
    mutating func next() -> Element? {
        guard head < elements.count else { return nil }
        // Mostly there is one: the array need not be cleared for it.
        if head == 0, elements.count == 1 { return elements.removeLast() }
        let element = elements[head]
        head += 1
        if head == elements.count { removeAll() }
        return element
    }

    mutating func removeAll() {
        elements.removeAll(keepingCapacity: true)
        head = 0
    }
}
