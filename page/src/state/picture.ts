/** The drawing as a picture and as a video of a stretch, for slides and papers. */
import { effect } from '@preact/signals'
import { play, say } from './actions.ts'
import { fileName, save } from './files.ts'
import * as state from './state.ts'

/** Pixels of a bitmap for one of the screen. */
const SCALE = 2
const SVG = 'http://www.w3.org/2000/svg'
/** Rules of the page that concern a drawing. */
const CONCERNED = /:root|\.node|\.cable|\.words|\.small|\.drawing|\.grip|svg text/
const VIDEOS = ['video/webm;codecs=vp9', 'video/webm', 'video/mp4']

function drawing(): HTMLElement {
  return document.querySelector('.drawing') as HTMLElement
}

/** Nodes and cables as a file that needs no other; with the packets of this moment, if wanted. */
function pictureOf(withPackets: boolean): string {
  const { clientWidth: width, clientHeight: height } = drawing()
  const picture = document.createElementNS(SVG, 'svg')
  for (const [name, value] of Object.entries({ xmlns: SVG, width, height, viewBox: `0 0 ${width} ${height}` }))
    picture.setAttribute(name, `${value}`)
  picture.dataset.theme = state.theme.value
  picture.style.fontFamily = getComputedStyle(drawing()).fontFamily
  const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules].map(({ cssText }) => cssText))
  const style = document.createElementNS(SVG, 'style')
  style.textContent = rules.filter((rule) => CONCERNED.test(rule)).join('\n')
  const paper = document.createElementNS(SVG, 'rect')
  paper.setAttribute('style', `width: ${width}px; height: ${height}px; fill: var(--paper)`)
  const content = document.createElementNS(SVG, 'g')
  content.setAttribute('class', 'drawing')
  for (const child of drawing().querySelector('svg')?.children ?? []) content.append(child.cloneNode(true))
  picture.append(style, paper, content)
  if (withPackets) {
    const packets = document.createElementNS(SVG, 'image')
    packets.setAttribute('href', packetsOf().toDataURL())
    for (const [name, value] of Object.entries({ width, height })) packets.setAttribute(name, `${value}`)
    picture.append(packets)
  }
  return new XMLSerializer().serializeToString(picture)
}

function packetsOf(): HTMLCanvasElement {
  return drawing().querySelector('canvas') as HTMLCanvasElement
}

async function imageOf(svg: string): Promise<HTMLImageElement> {
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }))
  const image = new Image()
  image.src = url
  await image.decode()
  URL.revokeObjectURL(url)
  return image
}

function bitmap(): [HTMLCanvasElement, CanvasRenderingContext2D] {
  const canvas = document.createElement('canvas')
  canvas.width = drawing().clientWidth * SCALE
  canvas.height = drawing().clientHeight * SCALE
  return [canvas, canvas.getContext('2d') as CanvasRenderingContext2D]
}

export async function savePicture(kind: 'svg' | 'png'): Promise<void> {
  if (drawing().clientWidth === 0) return say('The network is not on the screen: show it first.')
  const svg = pictureOf(true)
  if (kind === 'svg') return save(fileName('svg'), svg, 'image/svg+xml')
  const [canvas, context] = bitmap()
  context.drawImage(await imageOf(svg), 0, 0, canvas.width, canvas.height)
  const made = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve))
  if (made === null) return say('This browser makes no PNG of a drawing so large: save it as SVG.')
  save(fileName('png'), made, 'image/png')
}

let recorder: MediaRecorder | null = null

/** Plays from the time of the cursor on, and saves a video when that ends, or when called again. */
export async function record(): Promise<void> {
  if (recorder !== null) return recorder.stop()
  const type =
    typeof MediaRecorder === 'undefined' ? undefined : VIDEOS.find((each) => MediaRecorder.isTypeSupported(each))
  if (type === undefined) return say('This browser records no video.')
  if (drawing().clientWidth === 0) return say('The network is not on the screen: show it first.')
  const network = await imageOf(pictureOf(false))
  const [canvas, context] = bitmap()
  const { color } = getComputedStyle(drawing())
  const own = new MediaRecorder(canvas.captureStream(30), { mimeType: type, videoBitsPerSecond: 6_000_000 })
  recorder = own
  const parts: Blob[] = []
  own.ondataavailable = ({ data }) => parts.push(data)
  if (!state.isPlaying.value) play()
  const unwatch = effect(() => {
    if (!state.isPlaying.value && own.state === 'recording') own.stop()
  })
  own.onstop = () => {
    unwatch()
    recorder = null
    state.isPlaying.value = false
    save(fileName(type.includes('mp4') ? 'mp4' : 'webm'), new Blob(parts, { type }), type)
    say('The video is saved.')
  }
  const paint = () => {
    if (own.state !== 'recording') return
    for (const layer of [network, packetsOf()]) context.drawImage(layer, 0, 0, canvas.width, canvas.height)
    context.font = `${13 * SCALE}px sans-serif`
    context.fillStyle = color
    context.fillText(`${state.time.value.toFixed(2)} ms`, 12 * SCALE, canvas.height - 12 * SCALE)
    requestAnimationFrame(paint)
  }
  own.start()
  paint()
  say('Recording until the end, or until it is paused.')
}
