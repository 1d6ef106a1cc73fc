// A service is announced and found.
import { Bonjour } from 'bonjour-service'

const announcer = new Bonjour()
const seeker = new Bonjour()
const found = new Promise((resolve) => seeker.find({ type: 'http' }, resolve))
announcer.publish({ name: 'A printer', type: 'http', port: 8080, txt: { paper: 'A4' } })
const { name, port, txt, addresses } = await found
console.log(name, port, txt.paper, addresses.includes('10.77.0.1'), addresses.includes('2001:db8:77::1'))
announcer.unpublishAll(() => announcer.destroy())
seeker.destroy()
