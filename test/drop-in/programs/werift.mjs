// WebRTC: two peers find each other by ICE, agree on keys by DTLS, and talk over a data channel.
import { RTCPeerConnection } from 'werift'

const [a, b] = [1, 2].map(() => new RTCPeerConnection({ iceServers: [], iceUseIpv6: true }))
const channel = a.createDataChannel('talk')
b.onDataChannel.subscribe((remote) => remote.onMessage.subscribe((data) => remote.send(`${data}, and hello`)))
const answer = new Promise((resolve) => channel.onMessage.subscribe(resolve))
channel.stateChanged.subscribe((state) => state === 'open' && channel.send(Buffer.from('hello')))

await a.setLocalDescription(await a.createOffer())
await b.setRemoteDescription(a.localDescription)
await b.setLocalDescription(await b.createAnswer())
await a.setRemoteDescription(b.localDescription)
console.log(String(await answer))
console.log(a.localDescription.sdp.includes('10.77.0.1'), a.localDescription.sdp.includes('2001:db8:77::1'))
await Promise.all([a.close(), b.close()])
