package import NIOCore

extension Listener {
    /// The listeners of all event loops, where one of them accepts for all.
    ///
    /// Each connection is moved to the loop that it is for, which costs it some microseconds; sockets of their own, over
    /// which the kernel spreads connections, cost nothing, but not everything can have those.
    package struct Spread: Sendable {
        let group: any EventLoopGroup
        private let listeners: [(eventLoop: any EventLoop, listener: NIOLoopBound<Listener>)]

        /// - Parameters:
        ///   - group: The loops.
        ///   - listeners: One for each of them.
        package init(over group: any EventLoopGroup, _ listeners: [(any EventLoop, NIOLoopBound<Listener>)]) {
            self.group = group
            self.listeners = listeners
        }

        func listener(on eventLoop: any EventLoop) -> NIOLoopBound<Listener>? {
            listeners.first { $0.eventLoop === eventLoop }?.listener
        }
    }
}
