"""The smallest functional test, to copy: push an image, pull it through two agents."""
from framework.cluster import Cluster
from framework.skopeo import Skopeo, verified_blobs


def test_second_node_takes_the_image_from_the_first(workdir, small_image):
    with Cluster(workdir / "c", agents_wanted=2) as c:
        client = Skopeo(workdir / "skopeo", c.ca, c.user, c.password, c.host)
        client.push(small_image.layout, c.ref("lab/app:1"))
        digests = [d for d, _ in small_image.blobs]
        for agent in c.agents:
            target = workdir / agent.dir.name
            client.pull(c.ref("lab/app:1"), target, mirror=agent.endpoints["mirror"])
            assert verified_blobs(target, digests) == len(digests)

        pulls = c.agents[1].status()
        assert sum(p["bytes"]["peers"] + p["bytes"]["origin"] for p in pulls) >= small_image.largest[1]
        assert c.agents[0].stop() == 0, "SIGTERM must end a role cleanly"
