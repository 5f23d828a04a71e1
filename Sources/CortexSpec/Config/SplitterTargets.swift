/// What the splitters of a file name must be APIs: one that named a splitter could lead to itself.
enum SplitterTargets {
    static func check(_ items: [YAMLNode], log: ProblemLog) {
        let splitters = Set(items.filter(\.isSplitter).compactMap { $0.text(of: "name") })
        for (index, item) in items.enumerated() where item.isSplitter {
            guard case .list(let targets)? = item.value(of: "apis")?.content else { continue }
            for (place, target) in targets.enumerated() {
                guard let name = target.value(of: "name"), let text = name.scalar?.text, splitters.contains(text) else {
                    continue
                }
                let isItself = text == item.text(of: "name")
                log.add(
                    at: name.position,
                    api: item.apiLabel(index: index),
                    field: "apis[\(place)].name",
                    isItself ? "\(text) is this splitter" : "\(text) is a TrafficSplitter",
                    allowed: "it must be the name of a RealtimeAPI"
                )
            }
        }
    }
}

extension YAMLNode {
    fileprivate var isSplitter: Bool { self.text(of: "kind") == APIKind.trafficSplitter.rawValue }

    fileprivate func value(of key: String) -> YAMLNode? { self.entries?.first { $0.key.text == key }?.value }

    fileprivate func text(of key: String) -> String? { self.value(of: key)?.scalar?.text }
}
